"""Pages on the way back in: a forgotten password, a new one, a lock lifted."""

import reflex as rx

from portal_app.infra.security.cookies import cookie_name, read_cookie
from portal_app.state.shell.page_state import PageState, page_load
from portal_app.state.shell.public_handlers import public
from portal_app.wiring.portal import portal


class ForgotPage(PageState, rx.State):
    """What became of asking for a link."""

    email: str = ""
    error: str = ""
    notice: str = ""
    done: str = ""

    @public
    @rx.event
    @page_load
    async def load(self):
        """Read what the last try left to say."""
        flash = await portal().flash_messages.read(self._query("flash"))
        self.email, self.error = flash.get("typed:email", ""), flash.get("email", "")
        self.notice = "" if self.error else flash.get("form", "")
        self.done = flash.get("done", "")


class SetPasswordPage(PageState, rx.State):
    """Whether a new password ends a move or replaces a forgotten one, whose it is, and what was wrong with the last.

    A link that was just opened says itself whose it is: its token has not come here yet.
    """

    email: str = ""
    error: str = ""
    notice: str = ""
    is_move: bool = False

    @public
    @rx.event
    @page_load
    async def load(self):
        """Read what the last try left to say."""
        cookies, settings = self.router.headers.cookie, portal().settings
        moving = read_cookie(cookies, cookie_name(settings, "signup"))
        self.is_move = bool(moving) and await portal().registration.whmcs_migration.is_ready(moving)
        if self.is_move:
            self.email = (await portal().registration.sign_ups.progress(moving)).email
        else:
            self.email = await portal().identity.password_changes.email_for_token(
                read_cookie(cookies, cookie_name(settings, "reset"))
            )
        flash = await portal().flash_messages.read(self._query("flash"))
        self.error = flash.get("password", "")
        self.notice = "" if self.error else flash.get("form", "")


class UnlockPage(PageState, rx.State):
    """Nothing to know: the link's token stays in the browser until the button is pressed."""

    @public
    @rx.event
    @page_load
    async def load(self):
        """Open."""
