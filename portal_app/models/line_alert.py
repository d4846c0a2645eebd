"""What customers want to be told of their SIM lines, and what is bought for a line by itself."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.money import Money
from portal_app.domain.sim.alerts import Alert, AlertKind, AlertState, AlertUnit, SetAlert
from portal_app.domain.sim.auto_top_up import AutoOff, AutoTopUp
from portal_app.infra.clock import now
from portal_app.models.columns import time_column

_IS_DUE = sa.text("is_due")


class LineAlertRow(SQLModel, table=True):
    """One alert of one service's line; a line has at most one of each kind.

    `seen_at` is the moment of the newest reading it saw, `fired_month` the month it fired for, `value` what was read
    then. `is_due`: it fired, and its customer is not told yet.
    """

    __tablename__ = "line_alerts"
    __table_args__ = (sa.Index("ix_line_alerts_due", "service_id", postgresql_where=_IS_DUE),)

    service_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(primary_key=True, max_length=20)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    amount: int
    unit: str = Field(max_length=10)
    set_at: datetime = time_column(default_factory=now)
    seen_at: datetime | None = time_column(default=None, nullable=True)
    fired_at: datetime | None = time_column(default=None, nullable=True)
    fired_month: date | None = None
    value: int = 0
    is_due: bool = False

    def to_alert(self) -> Alert:
        """Return what the customer set."""
        return Alert(cast(AlertKind, self.kind), self.amount, cast(AlertUnit, self.unit))

    def to_set(self) -> SetAlert:
        """Return it as its customer sees it."""
        alert = self.to_alert()
        return SetAlert(alert.kind, alert.amount, alert.unit, self.set_at, self.fired_at)

    def to_state(self) -> AlertState:
        """Return where it stands."""
        return AlertState(self.seen_at, self.fired_at, self.fired_month)

    @classmethod
    async def of_service(cls, session: AsyncSession, user_id: UUID, service_id: int) -> "list[LineAlertRow]":
        """Return the alerts of a customer's line."""
        query = select(cls).where(cls.user_id == user_id, cls.service_id == service_id).order_by(col(cls.kind))
        return list((await session.exec(query)).all())

    @classmethod
    async def of_lines(cls, session: AsyncSession, service_ids: Sequence[int]) -> "list[LineAlertRow]":
        """Return the alerts of some lines, locked for the transaction."""
        query = select(cls).where(col(cls.service_id).in_(list(service_ids)))
        return list((await session.exec(query.order_by(cls.service_id, cls.kind).with_for_update())).all())

    @classmethod
    async def due(cls, session: AsyncSession, service_ids: Sequence[int], *, limit: int) -> "list[LineAlertRow]":
        """Return alerts of some lines that fired and are not told yet, locked for the transaction."""
        query = select(cls).where(_IS_DUE, col(cls.service_id).in_(list(service_ids)))
        ordered = query.order_by(cls.service_id, cls.kind).limit(limit)
        return list((await session.exec(ordered.with_for_update())).all())


class AutoTopUpRow(SQLModel, table=True):
    """What is bought for one service's line by itself: `gigabytes` for `total` at `threshold_mb`, `cap` a month."""

    __tablename__ = "auto_top_ups"

    service_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: UUID = Field(foreign_key="users.id", index=True)
    gigabytes: int
    threshold_mb: int
    total: int
    cap: int
    currency: str = Field(max_length=3)
    is_on: bool = True
    off_reason: str = Field(default="", max_length=20)
    changed_at: datetime = time_column(default_factory=now)

    def turn_off(self, reason: AutoOff) -> None:
        """Turn it off."""
        self.is_on, self.off_reason, self.changed_at = False, reason, now()

    def to_domain(self) -> AutoTopUp:
        """Return what the customer agreed to."""
        return AutoTopUp(
            self.gigabytes,
            self.threshold_mb,
            Money(self.total, self.currency),
            Money(self.cap, self.currency),
            is_on=self.is_on,
            off_reason=cast(AutoOff, self.off_reason),
        )

    @classmethod
    async def of_service(cls, session: AsyncSession, user_id: UUID, service_id: int) -> "AutoTopUpRow | None":
        """Return the choice for a customer's line, or None."""
        query = select(cls).where(cls.user_id == user_id, cls.service_id == service_id)
        return (await session.exec(query)).first()

    @classmethod
    async def on_of(cls, session: AsyncSession, service_ids: Sequence[int]) -> "list[AutoTopUpRow]":
        """Return the choices for some lines that are on."""
        query = select(cls).where(col(cls.service_id).in_(list(service_ids)), col(cls.is_on))
        return list((await session.exec(query.order_by(cls.service_id))).all())


async def watched(session: AsyncSession, service_ids: Sequence[int]) -> list[int]:
    """Return which of some lines have an alert or an automatic top-up."""
    ids = list(service_ids)
    alerts = sa.select(col(LineAlertRow.service_id)).where(col(LineAlertRow.service_id).in_(ids))
    choices = sa.select(col(AutoTopUpRow.service_id)).where(col(AutoTopUpRow.service_id).in_(ids), AutoTopUpRow.is_on)
    found = await (await session.connection()).execute(alerts.union(choices))
    return sorted(row[0] for row in found)
