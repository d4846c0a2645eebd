"""What is counted of the help, by day: answers, and words that found nothing. Nothing says who asked."""

from datetime import date

import sqlalchemy as sa
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

_COUNT = sa.text(
    """
    INSERT INTO help_counts (day, kind, word, count)
    SELECT asked.day, asked.kind, asked.word, 1
    FROM (SELECT CAST(:day AS date) AS day, CAST(:kind AS varchar) AS kind, CAST(:word AS varchar) AS word) AS asked
    WHERE EXISTS (SELECT 1 FROM help_counts AS c WHERE (c.day, c.kind, c.word) = (asked.day, asked.kind, asked.word))
       OR (SELECT count(*) FROM help_counts AS c WHERE (c.day, c.kind) = (asked.day, asked.kind)) < :most
    ON CONFLICT (day, kind, word) DO UPDATE SET count = help_counts.count + 1
    """
)


class HelpCount(SQLModel, table=True):
    """One count. `kind` is helped, not_helped (then `word` is the article) or missed (a word of a search)."""

    __tablename__ = "help_counts"

    day: date = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=12)
    word: str = Field(primary_key=True, max_length=80)
    count: int

    @classmethod
    async def add(cls, session: AsyncSession, day: date, kind: str, word: str, *, most: int) -> None:
        """Count one; of a kind, at most so many different words a day are kept."""
        await (await session.connection()).execute(_COUNT, {"day": day, "kind": kind, "word": word, "most": most})
