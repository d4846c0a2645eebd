"""Checks packets of the event socket: only those that our pages send pass. Everything else of Socket.IO is refused.

Socket.IO runs `on_<event>` for whatever event a client names, `connect` and `disconnect` included, puts binary
attachments into events, and knows acknowledgements and other namespaces. A page needs none of it. What is passed on is
serialised again from the checked values, so that no later layer parses the text differently.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

# Characters, as the browser's side counts them before it sends; and bytes.
LARGEST = 32 * 1024
LONGEST_PATH = 2048
DEEPEST = 500
_LONGEST_NAME = 300
_NAMESPACE = "/_event,"
_PONG, _CLOSE = "3", "1"
_CONNECT, _DISCONNECT, _EVENT = f"40{_NAMESPACE}", f"41{_NAMESPACE}", f"42{_NAMESPACE}"
# What confirms an event: a packet that Engine.IO ignores, or a space at the end of an update, which JSON ignores.
# assets/line.js counts both.
RECEIPT, MARK = "6", " "
# What Reflex tells a page that was built for another version: it loads again, at most once in the cooldown, and then
# shows a bar with a button instead. Ours names no version.
RELOAD = f'{_EVENT}["state_mismatch",{{"backend":"","reload_cooldown_ms":60000}}]'
# Engine.IO opens a socket by this packet; no other is sent after the refusal that follows it.
_OPENED = '0{"sid":"refused","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":32768}'
_REFUSED = "44/_event,"
# Browser error reports: the caller would choose what our log contains.
_UNHEARD = "client_error"


def refusal(reason: str) -> tuple[str, str]:
    """Return the packets that tell a page why it is not connected: Socket.IO hands it an error with this message."""
    return _OPENED, _REFUSED + json.dumps({"message": reason})


def is_update(text: str | None) -> bool:
    """Return whether a packet to a page is an event of ours: JSON, and not the head of a binary attachment."""
    return text is not None and text.startswith(_EVENT)


class Refused(Exception):
    """A packet that our pages do not send. `code` closes the socket (RFC 6455, 7.4.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class UnknownHandler(Exception):
    """An event of a page that was built for another version of the portal: it has to load again."""


class Frames:
    """Check the packets of one socket, in their order. `has_handler` says whether an event's handler exists."""

    def __init__(self, has_handler: Callable[[str], bool]) -> None:
        self._has_handler = has_handler
        self._has_joined = False

    @staticmethod
    def is_event(checked: str) -> bool:
        """Return whether a checked packet is an event, which is answered with a receipt."""
        return checked.startswith(_EVENT)

    def checked(self, text: str | None) -> str | None:
        """Return a packet as it may be passed on, None for one that is left unheard.

        Raises Refused, and UnknownHandler for an event that nothing here handles.
        """
        if text is None:
            raise Refused(1003)
        if len(text) > LARGEST or len(text.encode()) > LARGEST:
            raise Refused(1009)
        if text in (_PONG, _CLOSE):
            return text
        if text.startswith(_CONNECT) and not self._has_joined:
            self._has_joined = True
            return _CONNECT + self._joining(text[len(_CONNECT) :])
        if text.startswith(_EVENT) and self._has_joined:
            return self._call(text[len(_EVENT) :])
        if text == _DISCONNECT and self._has_joined:
            return text
        raise Refused(1008)

    def _joining(self, text: str) -> str:
        """Return what a page brings along as it joins: its first event, and the shape of its state tree.

        An unknown first event is left out: the page loads again for the shape that differs.
        """
        if not text:
            return ""
        brought = _read(text)
        if not isinstance(brought, dict):
            raise Refused(1008)
        kept: dict[str, Any] = {}
        if brought.get("event") is not None:
            event = _event(brought["event"])
            kept |= {"event": event} if self._has_handler(event["name"]) else {}
        if isinstance(brought.get("state_schema"), str):
            kept["state_schema"] = brought["state_schema"][:100]
        return _written(kept)

    def _call(self, text: str) -> str | None:
        call = _read(text)
        match call:
            case ["event", told]:
                event = _event(told)
                if not self._has_handler(event["name"]):
                    raise UnknownHandler
                return _EVENT + _written(["event", event])
            case [name, *_] if name == _UNHEARD:
                return None
        raise Refused(1008)


def _event(event: Any) -> dict[str, Any]:
    match event:
        case {"name": str(name)} if len(name) <= _LONGEST_NAME:
            payload, place = event.get("payload", {}), event.get("router_data", {})
            if isinstance(payload, dict) and isinstance(place, dict):
                return {"name": name, "payload": payload, "router_data": _place(place)}
    raise Refused(1008)


def _place(told: dict[str, Any]) -> dict[str, Any]:
    """Return where the page stands, cut to what an address may have: it stays in the page's state."""
    kept: dict[str, Any] = {
        name: told[name][:LONGEST_PATH] for name in ("pathname", "asPath") if isinstance(told.get(name), str)
    }
    if isinstance(told.get("query"), dict):
        kept["query"] = _within(told["query"])
    return kept


def _within(query: dict[str, Any]) -> dict[str, str]:
    kept, left = {}, LONGEST_PATH
    for name, value in query.items():
        if isinstance(value, str) and len(name) + len(value) <= left:
            kept[name] = value
            left -= len(name) + len(value)
    return kept


def _read(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused(1008) from None
    # Rarely more than a glance: only a text with so many brackets can be so deep.
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(value):
        raise Refused(1008)
    return value


def _is_deep(value: Any) -> bool:
    layer, depth = [value], 0
    while layer and depth <= DEEPEST:
        depth += 1
        layer = [
            inner
            for each in layer
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return depth > DEEPEST


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _written(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        # A number beyond all bounds, as 1e999.
        raise Refused(1008) from None
