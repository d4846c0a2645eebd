"""The services a customer has: read from WHMCS through the cache, from the mirror while it is away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from portal_app.domain.customer import Customer
from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.ports import BillingGateway
from portal_app.domain.subscription import Subscription
from portal_app.infra.cache import Cache, count_stale
from portal_app.infra.database import Database
from portal_app.infra.settings import Settings
from portal_app.models.columns import now
from portal_app.models.mirror import SubscriptionMirror

_SERVICES = TypeAdapter(list[Subscription])


def subscriptions_tag(customer: Customer) -> str:
    """The cache tag of everything about a customer's services."""
    return f"subscriptions:{customer.user_id}"


@dataclass(frozen=True, slots=True)
class Services:
    """A customer's services; `as_of` is set when they are saved data because WHMCS is away."""

    rows: list[Subscription]
    as_of: datetime | None = None


class Subscriptions:
    """What a customer has."""

    def __init__(self, settings: Settings, database: Database, cache: Cache, gateway: BillingGateway) -> None:
        self._seconds = settings.cache_subscriptions_seconds
        self._database = database
        self._cache = cache
        self._gateway = gateway

    async def subscriptions_for(self, customer: Customer) -> Services:
        """Return all services, newest first; saved ones when WHMCS is away. Raises ExternalUnavailable without."""

        async def read() -> object:
            found = sorted(
                await self._gateway.subscriptions(customer.whmcs_client_id), key=lambda row: row.id, reverse=True
            )
            kept = _SERVICES.dump_python(found, mode="json")
            await self._mirror(customer, found, kept)
            return kept

        try:
            kept = await self._cache.get_or_set(
                f"subscriptions:{customer.user_id}", read, seconds=self._seconds, tags=(subscriptions_tag(customer),)
            )
            return Services(_SERVICES.validate_python(kept))
        except ExternalUnavailable:
            count_stale()
            return await self._saved(customer)

    async def subscription_for(self, customer: Customer, service_id: int) -> tuple[Subscription, datetime | None]:
        """Return one service and, for saved data, its time. Raises NotFound, also for somebody else's."""
        services = await self.subscriptions_for(customer)
        for service in services.rows:
            if service.id == service_id:
                return service, services.as_of
        raise NotFound("not among the customer's services")

    async def refresh(self, customer: Customer) -> None:
        """Forget what is cached of a customer's services."""
        await self._cache.invalidate(subscriptions_tag(customer))

    async def _mirror(self, customer: Customer, found: list[Subscription], bodies: Any) -> None:
        if not found:
            return
        rows = [
            {"service_id": service.id, "user_id": customer.user_id, "body": body, "read_at": now()}
            for service, body in zip(found, bodies, strict=True)
        ]
        write = insert(SubscriptionMirror).values(rows)
        new = {"body": write.excluded.body, "read_at": write.excluded.read_at}
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            connection = await session.connection()
            await connection.execute(write.on_conflict_do_update(index_elements=["service_id"], set_=new))

    async def _saved(self, customer: Customer) -> Services:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            rows = await SubscriptionMirror.of(session, customer.user_id)
        if not rows:
            raise ExternalUnavailable("no mirror", vendor="whmcs")
        return Services(_SERVICES.validate_python([row.body for row in rows]), as_of=min(row.read_at for row in rows))
