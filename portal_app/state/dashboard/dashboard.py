"""The dashboard: amounts due, tasks of the customer, services and orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import reflex as rx

from portal_app.domain.billing.invoice_list import Owed
from portal_app.domain.dashboard.summary import Summary, Task, TaskKind
from portal_app.domain.errors import AccountNotReady, AccountWaits
from portal_app.language import _, path_for
from portal_app.language.format import addressed, day
from portal_app.state.orders.orders import OrderListRow, order_row
from portal_app.state.shell.page_state import PageState
from portal_app.state.status.incidents import IncidentNotices
from portal_app.state.subscriptions.subscriptions import ServiceRow, service_rows
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class ActionItem:
    """A task of the customer."""

    title: str
    text: str
    tone: str
    href: str
    action: str


class DashboardPage(PageState, rx.State):
    """The dashboard of a customer."""

    topics: ClassVar[frozenset[str]] = frozenset(
        {"orders", "billing", "account", "eligibility", "support", "incidents"}
    )
    parts: ClassVar[Mapping[str, type[rx.State]]] = {"incidents": IncidentNotices}

    greeting: str = ""
    set_up_failed: bool = False
    support: str = ""
    due: str = ""
    due_note: str = ""
    due_href: str = ""
    needs: list[ActionItem] = []
    services: list[ServiceRow] = []
    services_problem: str = ""
    orders: list[OrderListRow] = []
    cases: str = ""

    async def _read_page(self) -> None:
        await (await self.get_state(IncidentNotices))._fill()
        view = await portal().identity.accounts.view(await self._user_id())
        self.greeting = _("Hello, {name}").format(name=addressed(view.name))
        self.support, self.set_up_failed = portal().settings.portal_support_email, view.status == "failed"
        if view.customer is None:
            raise AccountWaits() if view.status == "waiting" else AccountNotReady()
        self._show(await portal().dashboard.summary.summary_for(view.customer))

    def _show(self, found: Summary) -> None:
        self._note_saved(found.as_of)
        self.orders = [order_row(order) for order in found.orders]
        self.needs = [_action_item(task) for task in found.tasks]
        self.cases = _case_words(found.open_cases)
        self.due, self.due_href = "", ""
        self.due_note = _("What you owe is not known yet. It appears here by itself.")
        if found.owed is not None:
            self.due, self.due_note, self.due_href = str(found.owed.due), _due_words(found.owed), _pay_path(found.owed)
        self.services_problem, self.services = "", []
        if found.services is None:
            self.services_problem = _("They appear here by themselves as soon as billing answers.")
        living = [service for service in found.services or () if not service.is_over]
        self.services = service_rows(living, found.cancellations)


def _case_words(count: int | None) -> str:
    """Return the words for a number of open cases, empty for none and for an unknown number."""
    if not count:
        return ""
    words = (
        _("Our team is looking into a question of yours.") if count == 1 else _("{count} of your questions are open.")
    )
    return words.format(count=count)


def _due_words(owed: Owed) -> str:
    if not owed.due_count:
        return _("Nothing is due.")
    one = _("Overdue since {day}") if owed.overdue_count else _("Due by {day}")
    words = _("{count} invoices, the first by {day}") if owed.due_count > 1 else one
    return words.format(count=owed.due_count, day=day(owed.next_due_on))


def _pay_path(owed: Owed) -> str:
    if not owed.due_count:
        return ""
    return path_for(f"/billing/invoices/{owed.next_id}" if owed.due_count == 1 else "/billing/invoices?status=due")


# Title, text, tone, path and action of each task.
_TASKS: dict[TaskKind, tuple[str, str, str, str, str]] = {
    "pay_overdue": (
        "Invoice {subject} is overdue",
        "{amount} was due by {day}. Pay it to keep your service running.",
        "problem",
        "/billing/invoices/{id}",
        "Review and pay",
    ),
    "service_suspended": (
        "{subject} is suspended",
        "It is paused until what is open is settled.",
        "problem",
        "/subscriptions/{id}",
        "See the service",
    ),
    "order_needs_attention": (
        "Your order waits for you", "{subject}", "attention", "/orders/{id}", "See what is needed",
    ),
    "case_answered": (
        "Our team replied",
        "{subject}",
        "attention",
        "/support/cases/{id}",
        "Read the answer",
    ),
    "cancellation_refused": (
        "Our team sees to a cancellation",
        "The end of {subject} could not be arranged by itself. You do not need to do it again.",
        "attention",
        "/subscriptions/{id}",
        "See the service",
    ),
    "card_expired": (
        "A card has expired",
        "The card ending in {subject} was valid until {day}. Add a new one so that payments go through.",
        "attention",
        "/billing/payments",
        "See payment methods",
    ),
    "card_expires": (
        "A card expires soon",
        "The card ending in {subject} is valid until {day}. Add a new one in time.",
        "attention",
        "/billing/payments",
        "See payment methods",
    ),
    "address_checked": (
        "Internet is available at your address",
        "Our team found a line for you on {day}. You can order it now.",
        "ok",
        "/catalog/internet",
        "See the internet plans",
    ),
    "pay_due": (
        "Invoice {subject} is due soon",
        "{amount} is due by {day}.",
        "info",
        "/billing/invoices/{id}",
        "Review and pay",
    ),
    "service_ends": (
        "{subject} ends on {day}",
        "You cancelled it. Its page says whether you can still withdraw that.",
        "info",
        "/subscriptions/{id}",
        "See the service",
    ),
}  # fmt: skip


def _action_item(task: Task) -> ActionItem:
    title, text, tone, path, action = _TASKS[task.kind]
    values = {"subject": task.subject, "amount": str(task.amount or ""), "day": day(task.on)}
    return ActionItem(
        title=_(title).format(**values),
        text=_(text).format(**values),
        tone=tone,
        href=path_for(path.format(id=task.id)),
        action=_(action),
    )
