"""The sign-in page: the error of the last try, and where the customer goes afterwards."""

import reflex as rx

from portal_app.domain.local_path import path_after_sign_in
from portal_app.language import path_for
from portal_app.state.shell.page_state import FormResult, PublicPageState
from portal_app.state.shell.session import PageSession


class SignInPage(FormResult, PublicPageState, rx.State):
    """Messages of a refused sign-in; the form itself goes to the API."""

    next_path: str = ""

    async def _read_page(self) -> str | None:
        """Read the error of a refused sign-in; a signed-in customer goes on to the page that was asked for."""
        if (await self.get_state(PageSession)).signed_in:
            return path_after_sign_in(self._query("next"), path_for("/dashboard"))
        await self._read_result()
        self.next_path = self._query("next")
        return None
