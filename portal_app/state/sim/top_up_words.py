"""A purchase of data as its page tells it: where the money and the data are, and what happens next."""

from dataclasses import dataclass, field

from portal_app.domain.sim.top_up import Standing, TopUpOrder
from portal_app.language import _, path_for
from portal_app.language.format import time

_WORDS: dict[Standing, tuple[str, str]] = {
    "under_way": (
        "info",
        "We are writing the invoice and charging your card. You can leave this page: it goes on by itself.",
    ),
    "checking": (
        "info",
        "We are asking billing whether your card was charged. This resolves itself: you do not need to do anything, "
        "and nothing is charged twice.",
    ),
    "confirm": (
        "attention",
        "Your card did not take the charge. You can pay with confirmation on our billing page until {until}. After "
        "that the invoice is cancelled and nothing is charged.",
    ),
    "paid": (
        "info",
        "It is paid. The data follow by themselves; if the carrier does not answer, we ask it again and add them once.",
    ),
    "done": ("ok", "The data are on your line."),
    "with_team": (
        "attention",
        "It is paid, and the carrier did not add the data. Our team has been told: you get the data or your money "
        "back.",
    ),
}
_UNCLEAR = (
    "We could not find out whether your card was charged, so our team looks it up. As soon as it is known, the data "
    "follow or the invoice is cancelled."
)
_STOPPED = {
    "no_card": "Nothing was charged: no card that is valid is stored. Add one under Billing, then try again.",
    "line_not_active": "Nothing was charged: the line is not active, or it is about to end.",
    "price_changed": "Nothing was charged: the price changed. The invoice is cancelled; look at the price once more.",
    "declined": "Nothing was charged: your card did not take the charge, and the invoice is cancelled.",
    "too_late": "Nothing was charged: billing did not answer in time. Try again later.",
    "invoice_gone": "The invoice was cancelled or refunded by our team, so no data were added.",
    "unclear": "The invoice is cancelled. If your card was charged all the same, our team pays it back.",
}
_REFUSED = "Nothing was charged: billing did not take the order. Our team can help you with it."


@dataclass(frozen=True)
class MoneyStep:
    """One step of the money trail, as the timeline shows it."""

    state: str
    title: str
    at: str = ""
    who: str = ""
    detail: str = ""


@dataclass(frozen=True)
class TopUpStory:
    """The newest purchase; `title` is empty where there is none."""

    title: str = ""
    tone: str = "info"
    text: str = ""
    steps: list[MoneyStep] = field(default_factory=list)
    invoice_href: str = ""
    can_pay: bool = False


def top_up_title(order: TopUpOrder) -> str:
    """Return what was bought and for how much, in words."""
    words = (
        _("{gigabytes} GB for {total}, bought automatically") if order.is_automatic else _("{gigabytes} GB for {total}")
    )
    return words.format(gigabytes=order.gigabytes, total=order.total)


def top_up_story(order: TopUpOrder | None) -> TopUpStory:
    """Return the words for a purchase."""
    if order is None:
        return TopUpStory()
    tone, text = _told(order)
    return TopUpStory(
        title=top_up_title(order),
        tone=tone,
        text=text,
        steps=_steps(order),
        invoice_href=path_for(f"/billing/invoices/{order.invoice_id}") if order.invoice_id else "",
        can_pay=order.standing == "confirm",
    )


def _told(order: TopUpOrder) -> tuple[str, str]:
    if order.standing == "stopped":
        return "attention", _(_STOPPED.get(order.reason, _REFUSED))
    if order.state == "unclear":
        return "attention", _(_UNCLEAR)
    tone, words = _WORDS[order.standing]
    until = time(order.confirm_until) if order.confirm_until else ""
    return tone, _(words).format(until=until)


def _steps(order: TopUpOrder) -> list[MoneyStep]:
    """Return invoice, payment and data with their times; what comes first of the rest is now, or stuck."""
    number = _("Invoice {number}").format(number=order.invoice_id) if order.invoice_id else ""
    parts = (
        (_("Invoice"), order.invoiced_at, number),
        (_("Payment"), order.paid_at, str(order.total) if order.paid_at else ""),
        (_("Data"), order.delivered_at, ""),
    )
    steps: list[MoneyStep] = []
    waiting = "stuck" if order.is_over or order.standing == "confirm" else "now"
    for title, at, who in parts:
        if at is not None:
            steps.append(MoneyStep("done", title, time(at), who))
        else:
            steps.append(MoneyStep(waiting, title))
            waiting = "next"
    return steps
