"""What every signed-in page's state shares: whose data it shows, and how trouble is told."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar
from uuid import UUID

import reflex as rx

from portal_app.domain.customer import Customer
from portal_app.domain.errors import AccountNotReady, NotFound, PortalError
from portal_app.language import _
from portal_app.language.format import time
from portal_app.state.identity import Identity
from portal_app.wiring import portal

Params = ParamSpec("Params")
Result = TypeVar("Result")


class PageState(rx.State, mixin=True):
    """Mix into a page's state. The page shows one of: loading, missing, problem, or its rows.

    `topics` are the live changes that make an open page call its `refresh`.
    """

    topics: ClassVar[frozenset[str]] = frozenset()

    loading: bool = True
    missing: bool = False
    setting_up: bool = False
    problem: str = ""
    saved_note: str = ""

    async def customer(self) -> Customer:
        """Return the customer this tab is bound to. Raises AccountNotReady."""
        identity = await self.get_state(Identity)
        return await portal().accounts.customer(UUID(identity._user_id))

    def note_saved(self, as_of: datetime | None) -> None:
        """Say how old saved data are; None says nothing."""
        self.saved_note = time(as_of) if as_of else ""


def told(handler: Callable[Params, Awaitable[Result]]) -> Callable[Params, Awaitable[Result | None]]:
    """Tell a page's customer what went wrong instead of failing; put it below `@rx.event`."""

    @wraps(handler)
    async def run(*args: Params.args, **kwargs: Params.kwargs) -> Result | None:
        state: Any = args[0]
        state.problem = ""
        try:
            return await handler(*args, **kwargs)
        except AccountNotReady:
            state.setting_up = True
        except NotFound:
            state.missing = True
        except PortalError as error:
            state.problem = _(error.user_message)
        finally:
            state.loading = False
        return None

    return run
