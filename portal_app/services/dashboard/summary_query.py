"""One statement for all that the dashboard's summary needs of a customer's rows; the rules in it are the models'."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import aggregate_order_by, psycopg
from sqlmodel import col

from portal_app.domain.billing.invoice import Invoice
from portal_app.domain.billing.invoice_list import Owed
from portal_app.domain.internet.eligibility import CheckStatus
from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.clock import now, today
from portal_app.infra.database.database import Database
from portal_app.models.cancellation import CancellationRow
from portal_app.models.eligibility import EligibilityRow
from portal_app.models.mirror import InvoiceMirror, MirrorState, SubscriptionMirror, is_fresh
from portal_app.models.order import OrderRow
from portal_app.models.support import CaseRow

_INVOICES = TypeAdapter(list[Invoice])
_SERVICES = TypeAdapter(list[Subscription])
_STATES = TypeAdapter(dict[str, tuple[datetime | None, datetime | None]])
_CHECK = TypeAdapter(tuple[CheckStatus | None, datetime | None])
_MOST_UNPAID = 20


@dataclass(frozen=True, slots=True)
class SummaryRows:
    """What the tables have of a customer. `read_at` has the mirrors that were ever read, `fresh` those young enough."""

    owed: Owed
    unpaid: list[Invoice]
    services: list[Subscription]
    read_at: Mapping[str, datetime]
    fresh: frozenset[str]
    looked_at: datetime
    check_status: CheckStatus | None
    checked_at: datetime | None
    has_open_orders: bool
    has_ordered_internet: bool
    has_cancellations: bool
    has_answered_cases: bool
    unsent_cases: int


async def summary_rows(database: Database, customer: Customer, *, seconds: float, currency: str) -> SummaryRows:
    """Ask for a customer's rows; mirrors are fresh for so many seconds."""
    values = {**_CONSTANTS, "user": customer.user_id, "today": today()}
    row = await database.fetch_row_for(customer.user_id, _STATEMENT, values)
    *others, has_answered_cases, unsent_cases = row
    *sums, unpaid, services, states, check, has_open_orders, has_internet, has_cancellations = others
    looked_at, bills, times = now(), _INVOICES.validate_python(unpaid or []), _STATES.validate_python(states or {})
    status, checked_at = _CHECK.validate_python(check or (None, None))
    return SummaryRows(
        owed=_owed(sums, bills, currency),
        unpaid=bills,
        services=_SERVICES.validate_python(services or []),
        read_at={kind: read_at for kind, (read_at, _) in times.items() if read_at is not None},
        fresh=frozenset(
            kind
            for kind, (read_at, stale_at) in times.items()
            if is_fresh(read_at, seconds, at=looked_at, stale_at=stale_at)
        ),
        looked_at=looked_at,
        check_status=status,
        checked_at=checked_at,
        has_open_orders=has_open_orders,
        has_ordered_internet=has_internet,
        has_cancellations=has_cancellations,
        has_answered_cases=has_answered_cases,
        unsent_cases=unsent_cases,
    )


def _owed(sums: list[Any], unpaid: list[Invoice], currency: str) -> Owed:
    due, overdue, due_count, overdue_count = sums
    first = unpaid[0] if unpaid else None
    return Owed(
        Money(int(due), currency),
        Money(int(overdue), currency),
        due_count,
        overdue_count,
        first.id if first else None,
        first.due_on if first else None,
    )


def _statement() -> tuple[str, dict[str, Any]]:
    """Return the statement as psycopg takes it, and its constants: the ORM's session costs more than the question.

    Row-level security holds for every part.
    """
    user = sa.bindparam("user", type_=sa.Uuid(), required=False)
    late = InvoiceMirror.is_overdue(sa.bindparam("today", type_=sa.Date(), required=False))
    is_due = sa.and_(InvoiceMirror.belongs_to(user), InvoiceMirror.is_open())
    count, owed = sa.func.count(), sa.func.sum(col(InvoiceMirror.owed_minor))
    bodies = sa.select(col(InvoiceMirror.body), sa.func.row_number().over(order_by=InvoiceMirror.by_due_day()))
    first = bodies.where(is_due).order_by(*InvoiceMirror.by_due_day()).limit(_MOST_UNPAID).subquery("first")
    unpaid = sa.func.jsonb_agg(aggregate_order_by(first.c.body, first.c[1]))
    services = aggregate_order_by(col(SubscriptionMirror.body), col(SubscriptionMirror.service_id).desc())
    times = sa.func.jsonb_build_array(col(MirrorState.read_at), col(MirrorState.stale_at))
    check = sa.func.jsonb_build_array(col(EligibilityRow.status), col(EligibilityRow.checked_at))
    is_own_order = col(OrderRow.user_id) == user
    statement = sa.select(
        sa.func.coalesce(owed, 0),
        sa.func.coalesce(owed.filter(late), 0),
        count,
        count.filter(late),
        sa.select(unpaid).scalar_subquery(),
        _one(sa.func.jsonb_agg(services), col(SubscriptionMirror.user_id) == user),
        _one(sa.func.jsonb_object_agg(col(MirrorState.kind), times), col(MirrorState.user_id) == user),
        _one(check, col(EligibilityRow.user_id) == user),
        sa.exists().where(is_own_order, OrderRow.is_open()),
        sa.exists().where(is_own_order, col(OrderRow.category) == "internet"),
        sa.exists().where(col(CancellationRow.user_id) == user),
        sa.exists().where(CaseRow.is_of(user), CaseRow.is_unread()),
        _one(sa.func.count(col(CaseRow.id)), sa.and_(CaseRow.is_of(user), col(CaseRow.sf_case_id).is_(None))),
    ).where(is_due)
    dialect: Any = psycopg.dialect
    compiled = statement.compile(dialect=dialect(), compile_kwargs={"render_postcompile": True})
    return str(compiled), dict(compiled.params)


def _one(column: sa.ColumnElement[Any], condition: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(condition).scalar_subquery()


_STATEMENT, _CONSTANTS = _statement()
