"""What waits for the customer: found in the rows of the summary, the most urgent first."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from portal_app.domain.billing.invoice import Invoice, PaymentMethod
from portal_app.domain.dashboard.summary import TASK_KINDS, Task
from portal_app.domain.orders.order import Order
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.domain.support.case import SupportCase
from portal_app.infra.clock import today
from portal_app.language.format import JAPAN
from portal_app.services.dashboard.summary_query import SummaryRows

# From when on a payment is worth a task of its own, and for how long the answer of an address check is.
_SOON, _WORTH_TELLING = timedelta(days=7), timedelta(days=30)


def tasks_of(
    rows: SummaryRows,
    *,
    orders: Iterable[Order],
    cards: Iterable[PaymentMethod],
    cancellations: Iterable[CancellationRequest],
    answered: Iterable[SupportCase] = (),
) -> list[Task]:
    """Return a customer's tasks in order of urgency."""
    found = (
        *_of_invoices(rows.unpaid),
        *_of_services(rows.services),
        *(Task("order_needs_attention", str(order.id), order.title) for order in orders if order.is_customer_awaited),
        *_of_cards(cards),
        *_of_check(rows),
        *_of_cancellations(cancellations),
        *(Task("case_answered", str(case.id), case.subject) for case in answered),
    )
    return sorted(found, key=lambda task: (TASK_KINDS.index(task.kind), task.on or date.max))


def _of_invoices(unpaid: Iterable[Invoice]) -> Iterator[Task]:
    for invoice in unpaid:
        if invoice.is_overdue(today()):
            yield Task("pay_overdue", str(invoice.id), invoice.label, invoice.due_on, invoice.owed)
        elif invoice.due_on and invoice.due_on <= today() + _SOON:
            yield Task("pay_due", str(invoice.id), invoice.label, invoice.due_on, invoice.owed)


def _of_services(services: Sequence[Subscription]) -> Iterator[Task]:
    for service in services:
        if service.is_service and service.status == "suspended":
            yield Task("service_suspended", str(service.id), service.name)


def _of_cards(cards: Iterable[PaymentMethod]) -> Iterator[Task]:
    for card in cards:
        if card.is_expired(today()):
            yield Task("card_expired", str(card.id), card.last_four, card.last_valid_on)
        elif card.expires_soon(today()):
            yield Task("card_expires", str(card.id), card.last_four, card.last_valid_on)


def _of_check(rows: SummaryRows) -> Iterator[Task]:
    """Tell for a while that fibre was found, unless the customer has it or has ordered it."""
    has_line = any(service.is_live_line("internet") for service in rows.services)
    if rows.check_status != "eligible" or has_line or rows.has_ordered_internet or rows.checked_at is None:
        return
    checked_on = rows.checked_at.astimezone(JAPAN).date()
    if checked_on > today() - _WORTH_TELLING:
        yield Task("address_checked", "", "", checked_on)


def _of_cancellations(requests: Iterable[CancellationRequest]) -> Iterator[Task]:
    for request in requests:
        if request.state == "refused":
            yield Task("cancellation_refused", str(request.service_id), request.service_name, request.ends_on)
        elif request.is_open:
            yield Task("service_ends", str(request.service_id), request.service_name, request.ends_on)
