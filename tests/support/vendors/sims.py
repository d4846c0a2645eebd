"""The gateway, and changes that tests make at the vendor directly."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from redis.asyncio import Redis

from portal_app.domain.ports.sim import SimLines
from portal_app.domain.sim.sim import Person, PortIn
from portal_app.infra.database.database import Database
from portal_app.integrations.build import build_vendors
from sandbox.clock import Clock
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox
from tests.support.running.world import servers

LIVING = "07039990099"
EID = "89049032000000000000000000000066"
OTHER_EID = "89049032000000000000000000009960"
PERSON = Person("田中", "愛子", "タナカ", "アイコ", "F", date(1990, 4, 1))
PORT_IN = PortIn(PERSON, "1234567890", date(2099, 12, 31))


class Sims:
    """`lines` is the port; the rest moves the sandbox."""

    def __init__(
        self, sandbox: RunningSandbox, redis: Redis, *, gateway: SimLines | None = None, living: str = LIVING
    ) -> None:
        self._sandbox = sandbox
        self._redis = redis
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self.clock = Clock(sandbox.store)
        self.living = living
        self.database = Database(sandbox.settings.model_copy(update={"database_url": servers().postgres.url()}), "web")
        self._closers.append(self.database.close)
        self.lines = gateway or self.another()

    def another(self, redis: Redis | None = None, **changes: Any) -> SimLines:
        """Return the gateway as another process would have it."""
        settings = self._sandbox.settings.model_copy(update={"database_url": servers().postgres.url(), **changes})
        database = Database(settings, "web")
        vendors = build_vendors(settings, redis or self._redis, database)
        self._closers += [vendors.close, database.close]
        return vendors.sims

    async def close(self) -> None:
        for closer in self._closers:
            await closer()

    def set_faults(self, **faults: Any) -> None:
        self._sandbox.faults.set("freebit", FaultSettings(**faults))

    async def lose_locks(self) -> None:
        """Forget every lock of ours, as if its time had passed."""
        async with self.database.unit_of_work() as session:
            await (await session.connection()).execute(sa.text("DELETE FROM line_changes"))

    async def locked_lines(self) -> list[bytes]:
        """Return what is stored instead of the numbers of locked lines."""
        async with self.database.unit_of_work() as session:
            return list(
                (await (await session.connection()).execute(sa.text("SELECT line FROM line_changes"))).scalars()
            )

    def blank(self, kind: str = "physical") -> dict[str, str]:
        """Put a SIM that nobody has into stock."""
        place = self._sandbox.store.next_number("test.sim")
        own = {"account": f"0708{place:07}", "productNumber": f"DN{place:013}", "iccid": f"898199{place:013}"}
        sim = (own if kind == "physical" else own | {"productNumber": "", "iccid": ""}) | {"kind": kind}
        self._sandbox.store.put("freebit.sim", sim["account"], sim | {"state": "blank"})
        return sim

    def advance(self, **step: float) -> None:
        self.clock.advance(timedelta(**step))

    def count(self, kind: str, account: str) -> int:
        """Return how many jobs of a kind the network ever accepted for a line."""
        jobs = self._sandbox.store.all("freebit.job")
        return sum(job["kind"] == kind and job["account"] == account for job in jobs)

    def stored_line(self, account: str) -> dict[str, Any]:
        """Return the line as the network stores it."""
        return self._sandbox.store.get("freebit.line", account) or {}
