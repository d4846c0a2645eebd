"""The sign-in page: the error of the last try, and where the customer goes afterwards."""

import reflex as rx

from portal_app.domain.local_path import path_after_sign_in
from portal_app.language import path_for
from portal_app.state.shell.page_state import PublicPageState
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


class SignInPage(PublicPageState, rx.State):
    """Messages of a refused sign-in; the form itself goes to the API."""

    email: str = ""
    next_path: str = ""
    notice: str = ""
    done: str = ""

    async def _read_page(self) -> str | None:
        """Read the error of a refused sign-in; a signed-in customer goes on to the page that was asked for."""
        if (await self.get_state(PageSession)).signed_in:
            return path_after_sign_in(self._query("next"), path_for("/dashboard"))
        flash = await portal().flash_messages.read(self._query("flash"))
        self.notice, self.email = flash.get("form", ""), flash.get("typed:email", "")
        self.done = flash.get("done", "")
        self.next_path = self._query("next")
        return None
