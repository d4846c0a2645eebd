"""The customer's account: who they are to us."""

from typing import ClassVar
from uuid import UUID

import reflex as rx

from portal_app.language import _
from portal_app.state.identity import Identity
from portal_app.state.page_state import PageState, opened, told
from portal_app.wiring import portal


class AccountPage(PageState, rx.State):
    """Name, e-mail and customer number."""

    topics: ClassVar[frozenset[str]] = frozenset({"account"})

    name: str = ""
    email: str = ""
    customer_number: str = ""
    support: str = ""

    @rx.event
    @opened
    async def load(self):
        """Read the account."""
        await self._read()

    @told
    async def refresh(self):
        """Read it anew after a live change."""
        await self._read()
        self.shown = True

    async def _read(self) -> None:
        identity = await self.get_state(Identity)
        view = await portal().accounts.view(UUID(identity._user_id))
        self.name, self.email = view.name, view.email
        self.customer_number = view.customer.customer_number if view.customer else _("Comes when the account is set up")
        self.support = portal().settings.portal_support_email
