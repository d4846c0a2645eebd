"""Changes of a line as its page tells them: what was asked for, where it stands, and what happens next."""

from dataclasses import dataclass

from portal_app.domain.sim_changes.line_order import LineOrder, Standing
from portal_app.language import _
from portal_app.language.format import day, duration, time
from portal_app.state.catalog.prices import taxed
from portal_app.wiring.portal import portal

OPTION_NAMES = {
    "voice_mail": "Voice mail",
    "call_waiting": "Call waiting",
    "call_forwarding": "Call forwarding",
    "roaming": "Roaming",
}
_WORDS: dict[Standing, tuple[str, str]] = {
    "queued": ("info", "It is done as soon as the line is free: about {at}. Until then you can withdraw it."),
    "held": ("info", "Your plan changes on {day}. Until {at} you can withdraw this, and nothing changes."),
    "under_way": ("info", "Being changed. The carrier takes up to {wait}."),
    "booked": ("info", "The carrier has it: your plan changes on {day}. It can no longer be withdrawn."),
    "billing": ("info", "The line is changed. The bill follows by itself."),
    "done": ("ok", "Your line is changed."),
    "withdrawn": ("info", "Withdrawn: your line stays as it is."),
    "with_team": ("attention", "Your line is changed. Our team sets the bill right; you do not need to do anything."),
}
_FAILED = {
    "not_carried_out": "The carrier did not carry it out. Nothing is billed, and you can ask for it again.",
    "too_late": "The carrier did not answer in time. Nothing was changed and nothing is billed; ask for it again.",
    "line_not_active": "The line is not active any more, so nothing was changed and nothing is billed.",
    "ending": "The service ends, so nothing was changed and nothing is billed.",
}
_REFUSED = "The carrier did not take the change. Nothing was changed and nothing is billed; you can ask for it again."


@dataclass(frozen=True)
class LineOrderStory:
    """One change; `until` is the end of the time to withdraw it, empty where it cannot be withdrawn."""

    id: str = ""
    title: str = ""
    tone: str = "info"
    text: str = ""
    until: str = ""
    is_plan: bool = False


def order_title(order: LineOrder) -> str:
    """Return what was asked for, in words."""
    if order.kind == "network":
        return _("Change to {network}").format(network=order.target)
    if order.kind == "plan":
        return _("New plan: {name} for {total} a month with tax").format(name=order.title, total=taxed(order.price))
    name = _(OPTION_NAMES[order.option])
    if order.target == "off":
        return _("{option} off").format(option=name)
    return _("{option} on, {total} a month with tax").format(option=name, total=taxed(order.price))


def order_story(order: LineOrder) -> LineOrderStory:
    """Return the words for a change."""
    tone, text = _told(order)
    until = order.sends_at.isoformat() if order.can_be_withdrawn and order.sends_at else ""
    return LineOrderStory(str(order.id), order_title(order), tone, text, until, order.kind == "plan")


def _told(order: LineOrder) -> tuple[str, str]:
    if order.standing in ("failed", "stopped"):
        return "attention", _(_FAILED.get(order.reason, _REFUSED))
    tone, words = _WORDS[order.standing]
    at = time(order.sends_at) if order.sends_at else ""
    own = portal().settings
    wait = duration(own.freebit_lock_seconds if order.kind == "network" else own.freebit_pending_seconds)
    return tone, _(words).format(at=at, day=day(order.effective_on), wait=wait)
