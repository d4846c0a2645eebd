"""Which handlers may run without a session: only those marked `public`."""

from collections.abc import Callable
from typing import Any, TypeVar

from reflex_base.event import EventHandler

Handler = TypeVar("Handler", bound=Callable[..., Any])
_MARK = "__portal_public__"


def public(handler: Handler) -> Handler:
    """Let a handler run for visitors who are not signed in. Put it above `@handler`."""
    setattr(handler, _MARK, True)
    return handler


def is_public(handler: EventHandler) -> bool:
    """Say whether a handler was marked public."""
    return bool(getattr(handler.fn, _MARK, False))
