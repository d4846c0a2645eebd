"""The second step of signing in: which proofs are possible, and the error of the last try."""

import reflex as rx

from portal_app.domain.errors import NotSignedIn
from portal_app.infra.security.cookies import cookie_name, read_cookie
from portal_app.language import path_for
from portal_app.state.shell.page_state import FormResult, PublicPageState
from portal_app.wiring.portal import portal


class SecondStepPage(FormResult, PublicPageState, rx.State):
    """The code goes to the API by a native form, a passkey by the page's script."""

    by_passkey: bool = False
    next_path: str = ""

    async def _read_page(self) -> str | None:
        """Read which proofs this sign-in accepts; without a sign-in under way it begins at the password."""
        token = read_cookie(self.router.headers.cookie, cookie_name(portal().settings, "second"))
        try:
            ways = await portal().identity.mfa_challenge.proof_methods(token)
        except NotSignedIn:
            return path_for("/auth/login")
        await self._read_result("code")
        self.by_passkey, self.next_path = ways.passkey, self._query("next")
        return None
