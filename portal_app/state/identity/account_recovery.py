"""State of the pages of account recovery: a forgotten password, a new password, lifting a lock."""

import reflex as rx

from portal_app.infra.security.cookies import cookie_name, read_cookie
from portal_app.state.shell.page_state import FormResult, PublicPageState
from portal_app.wiring.portal import portal


class ForgotPage(FormResult, PublicPageState, rx.State):
    """The result of asking for a link."""

    async def _read_page(self) -> None:
        await self._read_result("email")


class SetPasswordPage(FormResult, PublicPageState, rx.State):
    """Whether a new password completes a migration or replaces a forgotten one, for which account, and the last error.

    A link that was just opened names its account itself: the server has not seen its token yet.
    """

    is_migration: bool = False

    async def _read_page(self) -> None:
        await self._read_result("password")
        cookies, settings = self.router.headers.cookie, portal().settings
        moving = read_cookie(cookies, cookie_name(settings, "signup"))
        self.is_migration = bool(moving) and await portal().registration.whmcs_migration.is_ready(moving)
        if self.is_migration:
            self.email = (await portal().registration.sign_ups.progress(moving)).email
        else:
            self.email = await portal().identity.password_changes.email_for_token(
                read_cookie(cookies, cookie_name(settings, "reset"))
            )


class UnlockPage(PublicPageState, rx.State):
    """Shows no data: the link's token stays in the browser until the button is pressed."""
