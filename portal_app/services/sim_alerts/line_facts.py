"""What is stored of many lines at once, for alerts and automatic top-ups: never a call of the carrier."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import ExternalError
from portal_app.domain.sim.auto_top_up import PastTopUp
from portal_app.domain.sim.forecast import HISTORY_DAYS
from portal_app.domain.sim.line_reading import AddedData, LineFacts, month_begin
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.top_up import MB_IN_GB
from portal_app.infra.clock import today
from portal_app.models.top_up import TopUpRow
from portal_app.services.catalog.catalog import Catalog

_LINES = sa.text("""
SELECT l.service_id, l.user_id, l.body, (m.body->>'product_id')::int AS product_id
FROM sim_lines l LEFT JOIN subscriptions_mirror m ON m.user_id = l.user_id AND m.service_id = l.service_id
WHERE l.service_id = ANY(:ids) AND l.state = 'linked'
""")
# One row a line: hundreds of lines have tens of thousands of days.
_DAYS = sa.text("""
SELECT service_id, array_agg(day) AS days, array_agg(used_bytes) AS used
FROM sim_readings WHERE service_id = ANY(:ids) AND day >= :since AND day < :today AND NOT is_set_aside
GROUP BY service_id
""")


@dataclass(frozen=True, slots=True)
class LineRecord:
    """A linked line: whose it is, what was read of it, and its purchases of this month and the last."""

    user_id: UUID
    facts: LineFacts
    past: Sequence[PastTopUp]


class LineRecords:
    """Read stored lines in batches."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def allowances(self) -> dict[int, int]:
        """Return the data of a month in MB by WHMCS product; empty while the catalogue cannot be read."""
        try:
            plans = await self._catalog.sim_plans()
        except ExternalError:
            return {}
        return {product: plan.data_mb for product, plan in plans.items() if plan.data_mb is not None}

    async def read(
        self, session: AsyncSession, service_ids: Sequence[int], allowances: dict[int, int], *, with_history: bool
    ) -> dict[int, LineRecord]:
        """Return the linked ones of some lines; `with_history`: with the days that a forecast needs."""
        ids, connection = list(service_ids), await session.connection()
        month = today().replace(day=1)
        # A reading of the last month is of use until there is one of this.
        last_month = (month - timedelta(days=1)).replace(day=1)
        since = min(last_month, month - timedelta(days=HISTORY_DAYS)) if with_history else last_month
        asked: dict[str, Any] = {"ids": ids, "since": since, "today": today()}
        days: dict[int, dict[date, int]] = {
            row.service_id: dict(zip(row.days, row.used, strict=True))
            for row in (await connection.execute(_DAYS, asked)).all()
        }
        bought: defaultdict[int, list[TopUpRow]] = defaultdict(list)
        for top_up in await TopUpRow.of_lines(session, ids, since=month_begin(last_month)):
            bought[top_up.service_id].append(top_up)
        return {
            row.service_id: LineRecord(
                row.user_id,
                LineFacts(
                    LineSnapshot.from_json(row.body),
                    allowances.get(row.product_id),
                    days.get(row.service_id, {}),
                    [
                        AddedData(each.delivered_at, each.gigabytes * MB_IN_GB)
                        for each in bought[row.service_id]
                        if each.delivered_at is not None
                    ],
                ),
                [each.to_past() for each in bought[row.service_id]],
            )
            for row in (await connection.execute(_LINES, {"ids": ids})).all()
        }
