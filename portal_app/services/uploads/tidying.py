"""Deletes files that nobody sent, and copies of files that were fetched."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.models.upload import FileCopyRow, UploadPart, UploadRow

COPY_LIFE = timedelta(minutes=10)
# For so long an expired upload is told to be expired, and counts for the limit of a day.
_TOLD_FOR = timedelta(days=1)


class Tidying:
    """Keeps files no longer than they are needed."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock

    async def delete_expired(self) -> None:
        """Delete copies after ten minutes, the bytes of uploads that expired, and later their rows."""
        at = self._clock()
        unsent = sa.and_(col(UploadRow.message_id).is_(None), ~col(UploadRow.is_document))
        expired = sa.select(col(UploadRow.id)).where(unsent, col(UploadRow.expires_at) < at)
        statements = (
            sa.delete(FileCopyRow).where(col(FileCopyRow.created_at) < at - COPY_LIFE),
            sa.delete(UploadPart).where(col(UploadPart.upload_id).in_(expired)),
            sa.delete(UploadRow).where(unsent, col(UploadRow.expires_at) < at - _TOLD_FOR),
        )
        for statement in statements:
            async with self._database.unit_of_work() as session:
                await (await session.connection()).execute(statement)
