"""What goes wrong during a soak: processes and servers die by `kill -9`, vendors fail, lose answers and cut streams."""

import asyncio
import os
import random
import signal
import time
from collections import Counter

import psycopg

from portal_app.infra.settings import Settings
from portal_app.local.servers.postgres import EmbeddedPostgres
from portal_app.local.servers.valkey import EmbeddedValkey
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Process, Processes
from tests.support.running.world import world

_WRITES = {
    "whmcs": [
        "AddOrder",
        "AcceptOrder",
        "UpdateClientProduct",
        "CreateInvoice",
        "CapturePayment",
        "UpdateInvoice",
    ],
    "salesforce": ["composite"],
    "freebit": [
        "master/addAcnt/",
        "mvno/semiblack/addAcnt/",
        "mvno/esim/addAcnt/",
        "mvno/talkoption/addOrder/",
        "master/addSpec/",
    ],
    "mail": ["DATA"],
}
_PAUSE = (1.0, 5.0)


class Trouble:
    """Make trouble until told; `counts` says what was done."""

    def __init__(self, driver: PortalDriver, processes: Processes, settings: Settings, *, flaky: float) -> None:
        self.counts: Counter[str] = Counter()
        self._driver = driver
        self._processes = processes
        self._settings = settings
        self._flaky = flaky
        self._replaced: list[Process] = []

    async def make(self, seconds: float) -> None:
        """Kill one process or spoil one vendor every few seconds, each server once; leave everything well."""
        began = time.monotonic()
        servers = [(began + seconds / 3, self._kill_postgres), (began + seconds * 2 / 3, self._kill_valkey)]
        while time.monotonic() < began + seconds:
            await self._spoil_vendors()
            await asyncio.sleep(random.uniform(*_PAUSE))
            if servers and time.monotonic() > servers[0][0]:
                await servers.pop(0)[1]()
            await self.replace_the_dead()
            if alive := [one for one in self._processes.all if one.is_alive()]:
                victim = random.choice(alive)
                victim.kill()
                self.counts[f"{victim.role}s killed"] += 1
                await self._start_again(victim)
        await self._driver.all_well()

    async def replace_the_dead(self) -> None:
        """Start again what ended by itself, as a supervisor does."""
        for one in [one for one in self._processes.all if not one.is_alive() and one not in self._replaced]:
            self.counts[f"{one.role}s that ended by themselves"] += 1
            await self._start_again(one)

    async def _start_again(self, dead: Process) -> None:
        self._replaced.append(dead)
        fresh = self._processes.start(dead.role, self._settings)
        try:
            await asyncio.to_thread(fresh.wait_until_ready)
        except AssertionError:
            # A server was away: the next round starts it once more.
            self.counts["failed starts"] += 1

    async def _spoil_vendors(self) -> None:
        for vendor in ("whmcs", "salesforce", "freebit"):
            await self._driver.set_faults(vendor, flaky=self._flaky)
        await self._driver.set_faults("mail", flaky=self._flaky)
        special = {"duplicate_event": 1, "drop_stream": random.randint(0, 1), "lose_event": random.randint(0, 1)}
        self.counts["events to be lost"] += special["lose_event"]
        await self._driver.set_faults("pubsub", special=special)
        if random.random() < 0.5:
            forgetful = random.choice(list(_WRITES))
            await self._driver.set_faults(forgetful, lose_answers=1, operations=_WRITES[forgetful])
            self.counts["answers to be lost"] += 1

    async def _kill_postgres(self) -> None:
        await asyncio.to_thread(kill_postgres, world().postgres)
        self.counts["PostgreSQL killed"] += 1

    async def _kill_valkey(self) -> None:
        await asyncio.to_thread(kill_valkey, world().valkey)
        self.counts["Valkey killed"] += 1


def kill_postgres(server: EmbeddedPostgres) -> None:
    """Kill the server as `kill -9` does, and start it again on its port."""
    with psycopg.connect(server.url()) as connection:
        found = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
    os.kill(int(str(found[0]).split()[0]) if found else 0, signal.SIGKILL)
    server.stop()
    server.start()


def kill_valkey(server: EmbeddedValkey) -> None:
    """Kill the server as `kill -9` does, let it be away for a while, and start it again on its port."""
    os.kill(int((server.home / "valkey.pid").read_text()), signal.SIGKILL)
    server.stop()
    time.sleep(2)
    server.start()
