"""State of the pages that migrate a WHMCS customer: e-mail address, then the password of the billing account."""

import reflex as rx

from portal_app.language import path_for
from portal_app.state.registration.sign_up import progress_of
from portal_app.state.shell.page_state import FormResult, PublicPageState
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


class MovePage(FormResult, PublicPageState, rx.State):
    """The error of a refused e-mail address."""

    support: str = ""

    async def _read_page(self) -> str | None:
        """Read the error of the last try; a signed-in customer goes to the dashboard."""
        if (await self.get_state(PageSession)).signed_in:
            return path_for("/dashboard")
        await self._read_result("email")
        self.support = portal().settings.portal_support_email
        return None


class BillingPasswordPage(FormResult, PublicPageState, rx.State):
    """Whose billing account it is and what was wrong with the last try."""

    reset_link: str = ""
    support: str = ""

    async def _read_page(self) -> str | None:
        """Read the migration's progress; without a verified e-mail address it begins there."""
        progress = await progress_of(self)
        if progress is None or not progress.is_proven:
            return path_for("/auth/migrate")
        await self._read_result("password")
        self.email = progress.email
        self.reset_link = f"{portal().settings.whmcs_url}/index.php?rp=/password/reset"
        self.support = portal().settings.portal_support_email
        return None
