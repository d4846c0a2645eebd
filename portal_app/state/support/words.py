"""Support cases in a customer's words: whose turn it is, what a case is about, how far a message is."""

from portal_app.domain.support.case import About, CaseCategory, SupportCase
from portal_app.domain.support.message import Entry
from portal_app.language import _, path_for
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
    "not_accepted": "Our system did not accept this message. Try again, or shorten it.",
}


def turn_of(case: SupportCase) -> StatusLabel:
    """Return who is awaited, as a status."""
    if case.is_closed:
        return StatusLabel(_("Closed"), "neutral")
    if case.turn == "customer":
        return StatusLabel(_("Our team replied"), "attention")
    return StatusLabel(_("With our team"), "waiting")


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
