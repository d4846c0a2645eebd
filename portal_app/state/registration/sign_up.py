"""The first two steps of signing up: an e-mail address, and the code that proves it."""

import reflex as rx

from portal_app.domain.errors import NotSignedIn
from portal_app.domain.identity.account import SignUpProgress
from portal_app.infra.security.cookies import cookie_name, read_cookie
from portal_app.language import _, path_for
from portal_app.state.shell.page_state import FormResult, PublicPageState
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


async def progress_of(state: rx.State) -> SignUpProgress | None:
    """Return how far the sign-up of this browser's cookie is, or None where there is none."""
    token = read_cookie(state.router.headers.cookie, cookie_name(portal().settings, "signup"))
    try:
        return await portal().registration.sign_ups.progress(token) if token else None
    except NotSignedIn:
        return None


class SignUpPage(FormResult, PublicPageState, rx.State):
    """The error of a refused e-mail address."""

    async def _read_page(self) -> str | None:
        """Read the error of the last try; a signed-in customer goes to the dashboard."""
        if (await self.get_state(PageSession)).signed_in:
            return path_for("/dashboard")
        await self._read_result("email")
        return None


class VerifyPage(FormResult, PublicPageState, rx.State):
    """Where the code went and how many tries are left."""

    tries_left: str = ""
    has_tries: bool = True
    is_migration: bool = False
    begin_path: str = ""

    async def _read_page(self) -> str | None:
        """Read the sign-up's progress: without one it begins at the e-mail address, once verified it goes on."""
        progress = await progress_of(self)
        if progress is None:
            return path_for("/auth/signup")
        if progress.is_proven:
            return path_for("/auth/billing-password" if progress.is_migration else "/auth/details")
        self.is_migration = progress.is_migration
        self.begin_path = path_for("/auth/migrate" if progress.is_migration else "/auth/signup")
        await self._read_result("code")
        self.email = progress.email
        self.has_tries = progress.attempts_left > 0
        self.tries_left = _("Tries left: {count}").format(count=progress.attempts_left)
        return None
