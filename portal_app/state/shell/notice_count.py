"""The bell: the number of unread notices, on every signed-in page."""

from uuid import UUID

import reflex as rx

from portal_app.domain.errors import PortalError
from portal_app.state.shell.session import PageSession
from portal_app.wiring.portal import portal


class NoticeCount(rx.State):
    """The count, and its text: more than nine are "9+"."""

    unread: int = 0
    label: str = ""

    async def refresh(self) -> None:
        """Read the count again; while it cannot be read, the last one stays."""
        identity = await self.get_state(PageSession)
        try:
            self.unread = (
                await portal().notifications.notices.unread(UUID(identity._user_id)) if identity._user_id else 0
            )
        except PortalError:
            return
        self.label = "9+" if self.unread > 9 else str(self.unread)
