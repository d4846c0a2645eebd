"""The step-up question of a page: asked when a handler needs a recent proof of identity; then the handler runs."""

from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.registry import RegistrationContext

from portal_app.domain.errors import StepUpNeeded
from portal_app.state.shell.question import new_question
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


class StepUp(rx.State):
    """Whether the dialog is open, how it can be answered, and which handler runs afterwards.

    `question` is the token of the question, empty for none: a new one opens a dialog that was closed.
    """

    question: str = ""
    email: str = ""
    by_password: bool = False
    by_code: bool = False
    by_passkey: bool = False
    _wanted: str = ""
    _arguments: list[Any] = []

    @rx.event
    async def go_on(self):
        """Run the handler that asked for the proof, once the customer has given it."""
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
        """Close the question and run nothing."""
        self._forget()

    def _forget(self) -> None:
        self.question, self._wanted, self._arguments = "", "", []
        self.email, self.by_password, self.by_code, self.by_passkey = "", False, False, False


async def close_question(state: rx.State) -> None:
    """Forget a question that was left open when a page loads."""
    (await state.get_state(StepUp))._forget()


async def ask_for_proof(state: rx.State, handler: str, arguments: list[Any]) -> None:
    """Open the question on a page and remember which of its handlers runs afterwards."""
    asking = await state.get_state(StepUp)
    identity = await state.get_state(PageSession)
    ways = await portal().identity.step_up.proof_methods(UUID(identity._user_id))
    asking.email = identity._email
    asking.by_password, asking.by_code, asking.by_passkey = ways.password, ways.code, ways.passkey
    asking._wanted, asking._arguments = f"{type(state).get_full_name()}.{handler}", arguments
    asking.question = new_question()
