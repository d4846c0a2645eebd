"""The page that changes the password of whoever is signed in."""

import reflex as rx

from portal_app.state.page_state import PageState, opened
from portal_app.wiring import portal


class PasswordPage(PageState, rx.State):
    """What became of the last try. The passwords themselves go to the API."""

    present_error: str = ""
    password_error: str = ""
    notice: str = ""
    done: str = ""

    @rx.event
    @opened
    async def load(self):
        """Read what the last try left to say."""
        flash = await portal().flashes.read(self._query("flash"))
        self.present_error, self.password_error = flash.get("present", ""), flash.get("password", "")
        told = self.present_error or self.password_error
        self.notice, self.done = "" if told else flash.get("form", ""), flash.get("done", "")
