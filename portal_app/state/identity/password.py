"""The page that changes the password of a signed-in customer."""

from uuid import uuid4

import reflex as rx

from portal_app.domain.errors import StepUpNeeded
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


class PasswordPage(PageState, rx.State):
    """The result of the last try. The passwords themselves go to the API, once per `form_key`.

    Where the present password alone does not prove enough, `must_confirm` comes before the form.
    """

    must_confirm: bool = False
    form_key: str = ""
    email: str = ""
    present_error: str = ""
    password_error: str = ""
    notice: str = ""
    done: str = ""

    async def _read_page(self) -> None:
        flash = await portal().flash_messages.read(self._query("flash"))
        self.present_error, self.password_error = flash.get("present", ""), flash.get("password", "")
        has_field_error = self.present_error or self.password_error
        self.notice, self.done = "" if has_field_error else flash.get("form", ""), flash.get("done", "")
        self.form_key, self.email = uuid4().hex, (await self.get_state(PageSession))._email
        try:
            await self._require_proof()
        except StepUpNeeded:
            self.must_confirm = True

    @handler
    async def confirm(self):
        """Ask for a proof of identity, then show the form."""
        await self._require_proof()

    async def _require_proof(self) -> None:
        who = await self._user_id(), await self._session_id()
        await portal().identity.password_changes.require_recent_mfa(*who)
        self.must_confirm = False
