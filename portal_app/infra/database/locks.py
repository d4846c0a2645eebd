"""Locks of names, which PostgreSQL holds until a transaction ends."""

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def lock_name(session: AsyncSession, name: str) -> None:
    """Wait until no other transaction holds a name; this one holds it from now on."""
    await (await session.connection()).execute(_LOCK, {"name": name})
