"""Rows that a service wrote, read with the worker's role."""

import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import select

from portal_app.infra.database.database import Database
from portal_app.models.email_outbox import Mail


@dataclass
class Written:
    """Reads rows back with the worker's role."""

    worker: Database

    async def mails(self, recipient: str) -> list[tuple[str, dict[str, str]]]:
        async with self.worker.unit_of_work() as session:
            rows = (await session.exec(select(Mail))).all()
        return [(row.template, json.loads(row.content)) for row in rows if row.recipient == recipient]

    async def number(self, query: str, **values: object) -> int:
        async with self.worker.unit_of_work() as session:
            return int(await (await session.connection()).scalar(sa.text(query), values) or 0)
