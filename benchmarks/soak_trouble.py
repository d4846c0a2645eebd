"""What goes wrong during a soak: processes die by `kill -9`, vendors fail, lose answers and cut their streams."""

import asyncio
import random
import time
from collections import Counter

from portal_app.infra.settings import Settings
from tests.faults.processes import Process, Processes
from tests.faults.shop import Shop

_WRITES = {"whmcs": ["AddOrder", "AcceptOrder"], "salesforce": ["composite"]}


class Trouble:
    """Make trouble until told; `kills` counts it by kind."""

    def __init__(self, shop: Shop, processes: Processes, settings: Settings, *, flaky: float) -> None:
        self.kills: Counter[str] = Counter()
        self._shop = shop
        self._processes = processes
        self._settings = settings
        self._flaky = flaky

    async def make(self, ends: float) -> None:
        """Kill one process or spoil one vendor every second or three; leave everything well at the end."""
        while time.monotonic() < ends:
            await self._spoil_vendors()
            await asyncio.sleep(random.uniform(0.5, 3.0))
            victim = random.choice([one for one in self._processes.all if one.is_alive()])
            await self._replace(victim)
        await self._shop.all_well()

    async def _spoil_vendors(self) -> None:
        for vendor in ("whmcs", "salesforce"):
            await self._shop.set_mood(vendor, flaky=self._flaky)
        await self._shop.set_mood("mail", flaky=self._flaky)
        await self._shop.set_mood("pubsub", special={"duplicate_event": 1, "drop_stream": random.randint(0, 1)})
        if random.random() < 1 / 3:
            forgetful = random.choice(list(_WRITES))
            await self._shop.set_mood(forgetful, lose_answers=1, operations=_WRITES[forgetful])
            self.kills["answers to be lost"] += 1

    async def _replace(self, victim: Process) -> None:
        victim.kill()
        self.kills[f"{victim.role} killed"] += 1
        fresh = self._processes.start(victim.role, self._settings)
        await asyncio.to_thread(fresh.wait_until_ready)
