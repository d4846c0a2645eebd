"""Admission: what follows when somebody has proven a password. The one place that decides it."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.account import Origin, Tokens
from portal_app.models.user import User
from portal_app.services.audit import Tag, record
from portal_app.services.sessions import Sessions


class Admission:
    """Let somebody in who has proven who they are."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def after_password(self, session: AsyncSession, user: User, origin: Origin) -> Tokens:
        """Open a session for a proven password, inside the caller's transaction."""
        record(session, Tag.SIGNED_IN, user_id=user.id, actor="you")
        return await self._sessions.open(
            session, user.id, factors=("pwd",), browser=origin.browser, address=origin.address
        )
