"""From the domain to what the API shows of it."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import cast

from portal_app.api.cancellation_view import cancellation, ending
from portal_app.api.shapes import (
    AddressView,
    Amount,
    CreditEntryView,
    EligibilityView,
    IdentityCheckView,
    InvoiceSummary,
    InvoiceView,
    ItemView,
    LineView,
    Me,
    OrderEventView,
    OrderView,
    OrderWithEvents,
    OwedView,
    PaymentMethodView,
    PaymentView,
    PhoneLineView,
    PlanView,
    ProfileShape,
    SubscriptionDetail,
    SubscriptionView,
    SummaryView,
    TaskView,
    TransactionView,
)
from portal_app.domain.account import AccountView
from portal_app.domain.cancellation import CancellationRequest, Ending
from portal_app.domain.eligibility import Eligibility
from portal_app.domain.identity_document import IdentityCheck
from portal_app.domain.invoice import CreditEntry, Invoice, InvoiceLine, Payment, PaymentMethod, Transaction
from portal_app.domain.invoice_list import Owed
from portal_app.domain.money import Money
from portal_app.domain.order import STAGE_WORDS, Order, OrderEvent
from portal_app.domain.plan import CatalogItem, Plan
from portal_app.domain.profile import ProfileView
from portal_app.domain.sim_order import ShownLine
from portal_app.domain.subscription import Subscription
from portal_app.domain.summary import Summary, Task


def amount(money: Money) -> Amount:
    """Show an amount."""
    return {"minor": money.minor, "currency": money.currency, "text": str(money)}


def me(account: AccountView, view: ProfileView | None) -> Me:
    """Show the account."""
    return {
        "name": account.name,
        "email": account.email,
        "customer_number": account.customer.customer_number if account.customer else None,
        "status": account.status,
        "language": account.language,
        "profile": profile(view) if view else None,
    }


def identity_check(check: IdentityCheck) -> IdentityCheckView:
    """Show how an identity check stands."""
    return {
        "status": check.status,
        "note": check.note,
        "submitted_at": check.submitted_at,
        "is_on_its_way": check.is_on_its_way,
    }


def profile(view: ProfileView) -> ProfileShape:
    """Show a customer's data."""
    person = view.person
    bill = person.billing_address
    address = person.address
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "first_name_kana": person.first_name_kana,
        "last_name_kana": person.last_name_kana,
        "phone": person.phone,
        "marketing": person.marketing,
        "billing_address": {
            "line1": bill.line1,
            "line2": bill.line2,
            "city": bill.city,
            "prefecture": bill.state,
            "postcode": bill.postcode,
        },
        "address": cast(AddressView, asdict(address)) if address else None,
        "is_on_its_way": view.is_on_its_way,
        "note": view.note,
        "saved_at": view.as_of,
    }


def invoice_summary(invoice: Invoice) -> InvoiceSummary:
    """Show an invoice in a list."""
    return {
        "id": invoice.id,
        "number": invoice.label,
        "status": invoice.status,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "paid_at": invoice.paid_at,
        "total": amount(invoice.total),
    }


def invoice_in_full(invoice: Invoice, as_of: datetime | None) -> InvoiceView:
    """Show an invoice with lines and payments."""
    return {
        **invoice_summary(invoice),
        "subtotal": amount(invoice.subtotal),
        "tax": amount(invoice.tax),
        "credit": amount(invoice.credit),
        "balance": amount(invoice.balance) if invoice.balance is not None else None,
        "lines": [_line(line) for line in invoice.lines],
        "payments": [_payment(payment) for payment in invoice.payments],
        "taxes": [{"percent": str(tax.rate), "amount": amount(tax.amount)} for tax in invoice.taxes],
        "as_of": as_of,
    }


def owed(sums: Owed) -> OwedView:
    """Show what is owed."""
    return {
        "due": amount(sums.due),
        "overdue": amount(sums.overdue),
        "due_count": sums.due_count,
        "overdue_count": sums.overdue_count,
        "next_id": sums.next_id,
        "next_due_on": sums.next_due_on,
    }


def payment_method(method: PaymentMethod) -> PaymentMethodView:
    """Show a card or bank account."""
    return {
        "id": method.id,
        "kind": method.kind,
        "description": method.description,
        "last_four": method.last_four,
        "expires": method.expires,
        "last_valid_on": method.last_valid_on,
        "is_default": method.is_default,
    }


def transaction(entry: Transaction) -> TransactionView:
    """Show money that moved."""
    return {
        "id": entry.id,
        "at": entry.at,
        "description": entry.description,
        "gateway": entry.gateway,
        "invoice_id": entry.invoice_id,
        "amount": amount(entry.amount),
    }


def credit(entry: CreditEntry) -> CreditEntryView:
    """Show a change of the credit."""
    return {
        "id": entry.id,
        "on": entry.on,
        "description": entry.description,
        "invoice_id": entry.invoice_id,
        "amount": amount(entry.amount),
    }


def subscription(service: Subscription, request: CancellationRequest | None = None) -> SubscriptionView:
    """Show a service."""
    return {
        "id": service.id,
        "name": service.name,
        "category": service.category,
        "status": service.status,
        "cycle": service.cycle,
        "recurring": amount(service.recurring),
        "registered_on": service.registered_on,
        "next_due_on": service.next_due_on,
        "cancellation": cancellation(request) if request else None,
    }


def subscription_in_full(
    service: Subscription, as_of: datetime | None, request: CancellationRequest | None, if_cancelled: Ending | None
) -> SubscriptionDetail:
    """Show a service by itself."""
    return {
        **subscription(service, request),
        "first_payment": amount(service.first_payment),
        "fields": [{"name": name, "value": value} for name, value in service.fields],
        "if_cancelled": ending(if_cancelled) if if_cancelled and not (request and request.is_open) else None,
        "as_of": as_of,
    }


def phone_line(shown: ShownLine | None) -> PhoneLineView | None:
    """Show the phone line of a service."""
    return {"number": shown.number, "state": shown.state, "as_of": shown.as_of} if shown else None


def eligibility(found: Eligibility) -> EligibilityView:
    """Show where an address check stands."""
    return {
        "status": found.status,
        "offers": list(found.offers),
        "note": found.note,
        "requested_at": found.requested_at,
        "checked_at": found.checked_at,
        "address": cast(AddressView, asdict(found.address)) if found.address else None,
        "address_id": found.address_id,
        "as_of": found.as_of,
    }


def order(placed: Order) -> OrderView:
    """Show an order."""
    return {
        "id": placed.id,
        "title": placed.title,
        "category": placed.category,
        "stage": placed.stage,
        "stage_text": STAGE_WORDS[placed.stage],
        "placed_at": placed.placed_at,
        "monthly": amount(placed.monthly),
        "one_time": amount(placed.one_time),
        "lines": [
            {"sku": line.sku, "name": line.name, "cycle": line.cycle, "price": amount(line.price)}
            for line in placed.lines
        ],
    }


def order_with_events(placed: Order, events: tuple[OrderEvent, ...]) -> OrderWithEvents:
    """Show an order with its timeline."""
    return {**order(placed), "events": [_event(event) for event in events]}


def summary(found: Summary) -> SummaryView:
    """Show the dashboard's figures."""
    return {
        "owed": owed(found.owed) if found.owed else None,
        "next_invoice": invoice_summary(found.next_invoice) if found.next_invoice else None,
        "services": _services(found),
        "orders": [order(placed) for placed in found.orders],
        "open_cases": found.open_cases,
        "internet": found.internet,
        "tasks": [_task(task) for task in found.tasks],
        "as_of": found.as_of,
    }


def plan(offered: Plan, tax_percent: Decimal) -> PlanView:
    """Show a plan with and without tax; the tax is floored once per sum."""
    return {
        "sku": offered.service.sku,
        "name": offered.service.name,
        "description": offered.service.description,
        "details": dict(offered.service.details),
        "monthly": amount(offered.monthly),
        "one_time": amount(offered.one_time),
        "monthly_with_tax": amount(offered.monthly.with_tax(tax_percent)),
        "one_time_with_tax": amount(offered.one_time.with_tax(tax_percent)),
        "is_orderable": offered.is_orderable,
        "is_family": offered.service.is_family,
        "offers": list(offered.service.offers),
        "included": [_item(item) for item in offered.included],
        "extras": [_item(item) for item in offered.extras],
    }


def _item(item: CatalogItem) -> ItemView:
    return {
        "sku": item.sku,
        "name": item.name,
        "item_class": item.item_class,
        "cycle": item.cycle,
        "price": amount(item.price),
    }


def _line(line: InvoiceLine) -> LineView:
    return {"description": line.description, "amount": amount(line.amount), "service_id": line.service_id}


def _payment(payment: Payment) -> PaymentView:
    return {"paid_at": payment.paid_at, "gateway": payment.gateway, "amount": amount(payment.amount)}


def _services(found: Summary) -> list[SubscriptionView] | None:
    if found.services is None:
        return None
    return [subscription(row, found.cancellations.get(row.id)) for row in found.services]


def _task(task: Task) -> TaskView:
    owing = amount(task.amount) if task.amount else None
    return {"kind": task.kind, "id": task.id, "subject": task.subject, "on": task.on, "amount": owing}


def _event(event: OrderEvent) -> OrderEventView:
    return {"step": event.step, "at": event.at, "source": event.source, "detail": event.detail}
