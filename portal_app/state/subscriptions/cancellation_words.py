"""The status of a cancellation, in a customer's words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from portal_app.domain.catalog.plan import Category
from portal_app.domain.subscriptions.cancellation import CancellationRequest, CancellationState
from portal_app.domain.subscriptions.subscription import Subscription, hanging_on
from portal_app.infra.clock import now
from portal_app.language import _
from portal_app.language.format import day
from portal_app.state.shell.standing import StatusLabel
from portal_app.state.subscriptions.standing import service_standing

# What a customer reads of the newest cancellation of a service: tone, title, text.
STORIES: dict[CancellationState, tuple[str, str, str]] = {
    "scheduled": (
        "attention",
        "This service ends on {last_day}",
        "Until the end of {until} (Japan time) you can withdraw the cancellation; then it is final.",
    ),
    "sending": ("attention", "This service ends on {last_day}", "Your cancellation is being sent on. It is final."),
    "sent": ("attention", "This service ends on {last_day}", "Your cancellation was sent on. It is final."),
    "withdrawn": ("info", "You keep this service", "You withdrew its cancellation on {changed}."),
    "refused": (
        "problem",
        "Our team sees to your cancellation",
        "Our billing system did not take it. You do not need to do it again; we write to you.",
    ),
}
# How long a page mentions a withdrawn cancellation.
_WITHDRAWN_SHOWN = timedelta(days=14)
_CONSEQUENCES: dict[Category, tuple[str, ...]] = {
    "sim": (
        "The line stops, and its phone number is lost for good. To keep the number, move it to another provider first.",
    ),
    "internet": (
        "Your internet connection and phone numbers on it stop.",
        "Rented equipment goes back, and NTT may come to remove its line; our team writes to you about both.",
    ),
    "vpn": ("The VPN stops on every device that uses it.",),
}
_ADD_ON_ENDS = "This add-on stops. Its line stays as it is."
_ENDS_TOO = "{name} ends with it."
_GENERAL = (
    "The month it ends in is billed in full; nothing that was paid is paid back.",
    "Invoices that are due stay due.",
)


def standing_of(service: Subscription, requests: Mapping[int, CancellationRequest]) -> StatusLabel:
    """Return the status of a service; with an open cancellation, the day on which it ends."""
    request = requests.get(service.id)
    if request is not None and request.is_open and service.status in ("active", "suspended"):
        return StatusLabel(_("Ends on {last_day}").format(last_day=day(request.ends_on)), "attention")
    return service_standing(service.status)


def story_of(service: Subscription, request: CancellationRequest | None) -> tuple[str, str, str]:
    """Return tone, title and text about a service's cancellation; empty where there is nothing to say."""
    story = STORIES.get(request.state) if request else None
    if request is None or story is None or service.status not in ("active", "suspended"):
        return "info", "", ""
    if request.state == "withdrawn" and now() - request.changed_at > _WITHDRAWN_SHOWN:
        return "info", "", ""
    values = {
        "last_day": day(request.ends_on),
        "until": day(request.withdraw_until),
        "changed": day(request.changed_at.date()),
    }
    tone, title, text = story
    return tone, _(title).format(**values), _(text).format(**values)


def consequences_of(service: Subscription, rows: Sequence[Subscription]) -> list[str]:
    """Say what ends with a service: a line takes what hangs on it along, an add-on leaves its line as it is."""
    own = (_ADD_ON_ENDS,) if service.kind == "add-on" else _CONSEQUENCES.get(service.category, ())
    hanging = [_(_ENDS_TOO).format(name=each.name) for each in hanging_on(service.id, rows).own]
    return [*(_(text) for text in own), *hanging, *(_(text) for text in _GENERAL)]
