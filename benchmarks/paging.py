"""Uncached pages of a list with five thousand invoices, compared with a list of a hundred."""

import asyncio
import time
from statistics import median
from uuid import UUID

from benchmarks.bills import give_invoices
from benchmarks.demo import BEN, Demo
from benchmarks.stage import Stage
from benchmarks.table import Row, versus
from portal_app.domain.billing.invoice_list import InvoiceQuery
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.services.billing.invoice_queries import InvoiceLists

AIKO = "aiko@example.jp"
FEW, MANY, A_PAGE = 100, 5_000, 50
TURNS, WARM_UP = 40, 5
# Counts and sums read every invoice of the customer; the rows of a page do not grow.
MOST = 3


def measure(stage: Stage) -> list[Row]:
    """Read the pages alternately, without the cache."""
    users = {email: _user(stage.demo, email, count) for email, count in ((BEN, FEW), (AIKO, MANY))}
    few, first, last = asyncio.run(_times(stage.demo, users[BEN], users[AIKO]))
    peer = (f"{FEW} invoices", few)
    return [
        versus(f"invoices: page 1 of {MANY:,}", first, "ms", peer=peer, most=MOST),
        versus(f"invoices: page {MANY // A_PAGE} of {MANY:,}", last, "ms", peer=peer, most=MOST),
    ]


def _user(demo: Demo, email: str, count: int) -> UUID:
    with demo.signed_in(email) as client:
        return give_invoices(demo, client, count)


async def _times(demo: Demo, few: UUID, many: UUID) -> list[float]:
    """Return the median milliseconds of each page."""
    database = Database(Settings(portal_env="development", database_url=demo.database_url()), "web")
    lists = InvoiceLists(database, currency="JPY")
    wanted = [(few, 1), (many, 1), (many, MANY // A_PAGE)]
    took: list[list[float]] = [[] for _ in wanted]
    for turn in range(WARM_UP + TURNS):
        for samples, (user_id, page) in zip(took, wanted, strict=True):
            began = time.perf_counter()
            found = await lists.listing(Customer(user_id, 0, "", "", ""), InvoiceQuery(page=page, limit=A_PAGE))
            if len(found.rows) != A_PAGE:
                raise SystemExit(f"page {page} has {len(found.rows)} invoices")
            if turn >= WARM_UP:
                samples.append((time.perf_counter() - began) * 1000)
    await database.close()
    return [median(values) for values in took]
