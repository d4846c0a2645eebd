"""The question "is it still you?" on a page: asked when a handler needs it, then the handler runs after all."""

from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.registry import RegistrationContext

from portal_app.domain.errors import StepUpNeeded
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


class StepUp(rx.State):
    """Whether the dialog is asked for, how it can be answered, and what the customer wanted to do.

    `asked` counts the questions, so that one that was closed opens again; 0 is none.
    """

    asked: int = 0
    email: str = ""
    by_password: bool = False
    by_code: bool = False
    by_passkey: bool = False
    _wanted: str = ""
    _arguments: list[Any] = []
    _count: int = 0

    @rx.event
    async def go_on(self):
        """Do what the customer wanted, once they have confirmed."""
        identity = await self.get_state(PageSession)
        try:
            await portal().identity.sessions.require_recent(UUID(identity._session_id))
        except StepUpNeeded:
            return None
        wanted, arguments = self._wanted, self._arguments
        self._forget()
        found = RegistrationContext.get().event_handlers.get(wanted)
        if found is not None:
            return found.handler(*arguments)

    @rx.event
    async def give_up(self):
        """Close the question; nothing was done."""
        self._forget()

    def _forget(self) -> None:
        self.asked, self._wanted, self._arguments = 0, "", []


async def put_away(state: rx.State) -> None:
    """Forget a question that was left open: whoever opens a page anew wants something else."""
    (await state.get_state(StepUp))._forget()


async def ask_first(state: rx.State, handler: str, arguments: list[Any]) -> None:
    """Open the question on a page and remember which of its handlers runs afterwards."""
    asking = await state.get_state(StepUp)
    identity = await state.get_state(PageSession)
    ways = await portal().identity.step_up.proof_methods(UUID(identity._user_id))
    asking.email = identity._email
    asking.by_password, asking.by_code, asking.by_passkey = ways.password, ways.code, ways.passkey
    asking._wanted, asking._arguments = f"{type(state).get_full_name()}.{handler}", arguments
    asking._count += 1
    asking.asked = asking._count
