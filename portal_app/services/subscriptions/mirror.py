"""The mirror of services: a customer's whole list at a time, in the order in which the reads began."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from portal_app.domain.ports.listing import unreadable_in
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.infra.database.database import Database
from portal_app.models.mirror import MirrorState, SubscriptionMirror

SERVICES = "services"
_SERVICE = TypeAdapter(Subscription)


class ServiceMirror:
    """Write and query services."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write_list(self, customer: Customer, found: list[Subscription], *, asked_at: datetime) -> bool:
        """Write a customer's whole list and delete what is not in it; return whether anything changed.

        A service that is in the list but could not be read stays as it was saved.
        """
        user_id = customer.user_id
        rows = [
            {
                "user_id": user_id,
                "service_id": one.id,
                "body": _SERVICE.dump_python(one, mode="json"),
                "read_at": asked_at,
            }
            for one in found
        ]
        async with self._database.unit_of_work(customer=user_id) as session:
            state = await MirrorState.locked(session, user_id, SERVICES)
            if state.read_at is not None and state.read_at >= asked_at:
                return False
            query = select(SubscriptionMirror).where(SubscriptionMirror.user_id == user_id)
            kept = unreadable_in(found)
            before = {row.service_id: row.body for row in (await session.exec(query)).all()}
            connection = await session.connection()
            own = col(SubscriptionMirror.user_id) == user_id
            is_left = col(SubscriptionMirror.service_id).not_in([*(one.id for one in found), *kept])
            await connection.execute(sa.delete(SubscriptionMirror).where(own, is_left))
            if rows:
                await connection.execute(_upsert(rows))
            state.read_at = asked_at
        after = {number: body for number, body in before.items() if number in kept}
        return before != after | {row["service_id"]: row["body"] for row in rows}

    async def all(self, customer: Customer) -> list[Subscription]:
        """Return a customer's services, newest first."""
        query = select(SubscriptionMirror.body).where(SubscriptionMirror.user_id == customer.user_id)
        query = query.order_by(col(SubscriptionMirror.service_id).desc())
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return [_SERVICE.validate_python(body) for body in (await session.exec(query)).all()]

    async def owners(self, *, service_id: int | None = None, order_id: int | None = None) -> list[UUID]:
        """Return whose mirrors hold a service, or one of an order: for events, under the worker's role."""
        is_it = col(SubscriptionMirror.service_id) == service_id
        if service_id is None:
            is_it = sa.cast(col(SubscriptionMirror.body)["order_id"].astext, sa.Integer) == order_id
        async with self._database.unit_of_work() as session:
            return list((await session.exec(select(SubscriptionMirror.user_id).where(is_it).distinct())).all())


def _upsert(rows: list[dict[str, Any]]) -> Any:
    write = insert(SubscriptionMirror).values(rows)
    new = {"body": write.excluded.body, "read_at": write.excluded.read_at}
    return write.on_conflict_do_update(index_elements=["user_id", "service_id"], set_=new)
