"""Support cases in a customer's words: whose turn it is, what a case is about, how far a message is."""

from collections.abc import Collection
from datetime import date, datetime

from portal_app.domain.support.answer_time import AnswerTime
from portal_app.domain.support.case import About, CaseCategory, SupportCase
from portal_app.domain.support.context import Fact, FactKind
from portal_app.domain.support.message import COMMENT_BYTES, LONGEST_REPLY_BYTES, Entry, Thread
from portal_app.language import _, path_for
from portal_app.language.format import day, listed, phone_number, time
from portal_app.state.shell.standing import StatusLabel

CATEGORY_WORDS: dict[CaseCategory, str] = {
    "billing": "Billing and payment",
    "internet": "Internet line",
    "sim": "SIM and mobile",
    "vpn": "VPN",
    "order": "An order",
    "account": "My account",
    "other": "Something else",
}
_PATHS = {"invoice": "/billing/invoices/", "order": "/orders/", "service": "/subscriptions/", "line": "/subscriptions/"}
_REFUSALS = {
    "reopening_refused": "This case cannot be reopened. Open a new one with this text.",
    "case_gone": "This case was removed by our team. Open a new one with this text.",
    "storage_full": "Our system has no room for files right now. Message and files are kept: try again later.",
    "not_accepted": "Our system did not accept this message. Try again, or shorten it.",
}


# How much of a message is sent as one part, and how much at all.
PART_BYTES, MOST_BYTES = COMMENT_BYTES, LONGEST_REPLY_BYTES
_FACTS: dict[FactKind, str] = {
    "invoice": "Invoice",
    "order": "Order",
    "service": "Service",
    "status": "Status",
    "issued": "Issued",
    "due": "Due by",
    "total": "Total",
    "balance": "Still to pay",
    "placed": "Placed",
    "since": "Since",
    "line": "Phone number",
    "line_state": "Line",
}
# Of invoices, orders, services and lines, as their own pages call them.
_STATUSES = {
    "unpaid": "Due",
    "paid": "Paid",
    "refunded": "Refunded",
    "collections": "In collection",
    "payment_pending": "Payment on its way",
    "draft": "Draft",
    "received": "Received",
    "in_review": "In review",
    "pending": "Being set up",
    "being_set_up": "Being set up",
    "needs_attention": "With our team",
    "not_accepted": "Not accepted",
    "in_progress": "In progress",
    "unknown": "In progress",
    "active": "Active",
    "completed": "Completed",
    "suspended": "Suspended",
    "cancelled": "Cancelled",
    "terminated": "Ended",
    "fraud": "On hold",
    "waiting": "Being opened",
    "temporary": "Temporary",
    "obsolete": "Ended",
}
_DATES: frozenset[FactKind] = frozenset({"issued", "due", "placed", "since"})
_SECRETS: dict[str, str] = {
    "card": "a card number",
    "password": "a password",
    "pin": "a PIN or security code",
    "eid": "an EID",
}
_STATUS_LINES: dict[str, str] = {
    "working": "Our team is working on it.",
    "closed": "The case was closed.",
    "reopened": "The case was opened again.",
}
_ANSWERS = {
    "promised": "Our team will answer by {time}.",
    "usual": "Usually answered by {time}.",
    "late": "This takes longer than we said. It was due by {time}; you do not need to write again.",
}


def fact_words(fact: Fact) -> tuple[str, str]:
    """Return label and value of a fact as a customer reads them."""
    value = fact.value
    if fact.kind in _DATES:
        value = day(date.fromisoformat(value))
    elif fact.kind == "line":
        value = phone_number(value)
    elif fact.kind in ("status", "line_state"):
        value = _(_STATUSES.get(value, value))
    return _(_FACTS[fact.kind]), value


def secrets_words(kinds: Collection[str]) -> str:
    """Return what a text seems to hold, and what to do about it."""
    return _("Your text seems to hold {what}. Nobody here needs it: take it out, or send it anyway.").format(
        what=listed(_(_SECRETS[kind]) for kind in kinds)
    )


def saved_words(as_of: datetime | None) -> str:
    """Return how old saved cases are; empty for fresh ones."""
    if as_of is None:
        return ""
    return _("Saved on {time}. What is new since follows as soon as our support system answers.").format(
        time=time(as_of)
    )


def status_line_of(what: str) -> str:
    """Return the words for a change of a case's status."""
    return _(_STATUS_LINES[what])


def answer_words(answer: AnswerTime | None) -> str:
    """Return when an answer can be expected, in words; empty where nothing is known."""
    return _(_ANSWERS[answer.kind]).format(time=time(answer.at)) if answer else ""


def turn_of(case: SupportCase) -> StatusLabel:
    """Return who is awaited, as a status."""
    if case.is_closed:
        return StatusLabel(_("Closed"), "neutral")
    if case.is_refused:
        return StatusLabel(_("Not sent"), "problem")
    if case.turn == "customer":
        return StatusLabel(_("Our team replied"), "attention")
    return StatusLabel(_("With our team"), "waiting")


def seen_words(thread: Thread) -> str:
    """Return that the team has seen all that the customer wrote; empty where something is still on its way.

    Salesforce marks unread comments, not an unread case: before a first answer nothing says that it was opened.
    """
    has_answer = any(entry.side == "team" for entry in thread.entries)
    is_on_its_way = any(entry.side == "customer" and progress_of(entry)[0] for entry in thread.entries)
    is_seen = has_answer and thread.case.is_seen_by_team and not is_on_its_way
    return _("Our team has seen your messages.") if is_seen else ""


def category_of(category: CaseCategory) -> str:
    """Return the words for a category."""
    return _(CATEGORY_WORDS[category])


def about_of(about: About | None) -> tuple[str, str]:
    """Return the words and the address of what a case is about; empty texts for nothing."""
    if about is None:
        return "", ""
    words = {
        "invoice": _("Invoice {number}").format(number=about.id),
        "order": _("Your order"),
        "service": _("Your service"),
        "line": _("Your SIM line"),
    }[about.kind]
    return words, path_for(_PATHS[about.kind] + about.id)


def author_of(entry: Entry) -> str:
    """Return who wrote an entry: an agent is named by the first name alone."""
    if entry.side == "customer":
        return _("You, by mail") if entry.kind == "mail" else _("You")
    return _("{name}, support").format(name=entry.author) if entry.author else _("Support")


def progress_of(entry: Entry) -> tuple[str, str]:
    """Return how far a message is, in words, and the tone; empty texts for what Salesforce has."""
    if entry.state == "refused":
        return _(_REFUSALS[entry.refusal or "not_accepted"]), "problem"
    words = {"queued": _("Will be sent in a moment"), "sending": _("Being sent"), "sent": _("Sent")}
    return (words[entry.state], "waiting") if entry.state in words else ("", "")
