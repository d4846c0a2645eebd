"""State of the pages that migrate a WHMCS customer: e-mail address, then the password of the billing account."""

import reflex as rx

from portal_app.language import path_for
from portal_app.state.registration.sign_up import progress_of
from portal_app.state.shell.page_state import PublicPageState
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


class MovePage(PublicPageState, rx.State):
    """The error of a refused e-mail address."""

    email: str = ""
    error: str = ""
    notice: str = ""
    support: str = ""

    async def _read_page(self) -> str | None:
        """Read the error of the last try; a signed-in customer goes to the dashboard."""
        if (await self.get_state(PageSession)).signed_in:
            return path_for("/dashboard")
        flash = await portal().flash_messages.read(self._query("flash"))
        self.email, self.error = flash.get("typed:email", ""), flash.get("email", "")
        self.notice = "" if self.error else flash.get("form", "")
        self.support = portal().settings.portal_support_email
        return None


class BillingPasswordPage(PublicPageState, rx.State):
    """Whose billing account it is and what was wrong with the last try."""

    email: str = ""
    error: str = ""
    notice: str = ""
    reset_link: str = ""
    support: str = ""

    async def _read_page(self) -> str | None:
        """Read the migration's progress; without a verified e-mail address it begins there."""
        progress = await progress_of(self)
        if progress is None or not progress.is_proven:
            return path_for("/auth/migrate")
        flash = await portal().flash_messages.read(self._query("flash"))
        self.email, self.error = progress.email, flash.get("password", "")
        self.notice = "" if self.error else flash.get("form", "")
        self.reset_link = f"{portal().settings.whmcs_url}/index.php?rp=/password/reset"
        self.support = portal().settings.portal_support_email
        return None
