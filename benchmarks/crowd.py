"""Many demo customers, each with a service, an invoice and a session, and bursts of their requests."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import uvloop
from redis import Redis

from benchmarks.demo import Demo, running_demo
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.settings import Settings
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.wiring.portal import Portal, build
from sandbox.world_file import DEFAULT_WORLD

_EMAIL = "c{number}@crowd.example.jp"
_PERSON = """
[[customers]]
number = "C9{number:07}"
first_name = "Chiyo"
last_name = "Crowd"
email = "c{number}@crowd.example.jp"
[[customers.cards]]
number = "4242424242424242"
[[customers.services]]
sku = "VPN-REMOTE-ACCESS-USA-SF"
started = "40 days ago"
invoices = ["Paid", "Unpaid"]
"""
_COUNT = re.compile(r'portal_vendor_call_seconds_count\{([^}]*)vendor="whmcs"\} (\S+)')


@dataclass(frozen=True)
class Crowd:
    """Cookie headers of the customers, and access to their demo."""

    demo: Demo
    settings: Settings
    cookies: list[str]

    def age_mirrors(self) -> None:
        """Make all mirrors older than the dashboard accepts."""
        with psycopg.connect(self.settings.database_url, autocommit=True) as database:
            database.execute("UPDATE mirror_states SET read_at = read_at - interval '1 day'")
            database.execute("UPDATE invoices_mirror SET read_at = read_at - interval '1 day'")
            database.execute("UPDATE subscriptions_mirror SET read_at = read_at - interval '1 day'")

    def forget_answers(self) -> None:
        """Remove the cached summaries."""
        with Redis.from_url(self.settings.redis_url) as redis:
            for key in redis.scan_iter("c:summary:*"):
                redis.delete(key)

    def calls(self) -> dict[str, int]:
        """Return the number of WHMCS calls so far by action, over all processes."""
        text = httpx.get(f"http://127.0.0.1:{self.demo.port_of('metrics')}/metrics", timeout=10).text
        found: dict[str, int] = {}
        for labels, count in _COUNT.findall(text):
            action = re.search(r'operation="(\w+)"', labels)[1]
            found[action] = found.get(action, 0) + int(float(count))
        return found

    def set_faults(self, **faults: float) -> None:
        """Set the fault settings of WHMCS; none resets them."""
        httpx.post(f"{self.demo.office}/api/faults/whmcs", json=faults).raise_for_status()


@contextmanager
def crowded_demo(home: Path, size: int, **settings: str) -> Iterator[Crowd]:
    """Run a demo with this many additional customers, each with an account and a session."""
    world = home.with_suffix(".toml")
    world.write_text(DEFAULT_WORLD.read_text() + "".join(_PERSON.format(number=number) for number in range(size)))
    with running_demo(home, SANDBOX_WORLD=str(world), **settings) as demo:
        yield _gathered(demo, size)


def _gathered(demo: Demo, size: int) -> Crowd:
    settings = Settings(
        _env_file=demo.home / "sandbox" / "running.env",
        portal_env="development",
        portal_url=demo.url,
        portal_port=urlsplit(demo.url).port,
        database_url=demo.database_url(),
        redis_url=demo.redis_url(),
        whmcs_rate="1000000/minute",
    )
    return Crowd(demo, settings, asyncio.run(_sessions(settings, size)))


async def _sessions(settings: Settings, size: int) -> list[str]:
    portal = build(settings, role="worker")
    try:
        return [await _account(portal, number) for number in range(size)]
    finally:
        await portal.close()


async def _account(portal: Portal, number: int) -> str:
    """Create an account for a WHMCS client, as sign-up would, and return its Cookie header."""
    email, own = _EMAIL.format(number=number), f"C9{number:07}"
    client = await portal.vendors.clients.find_client(email)
    if client is None:
        raise SystemExit(f"WHMCS does not know {email}")
    async with portal.database.unit_of_work() as session:
        index = portal.identity.secrets.ring.index(email, EMAIL_PLACE)
        user = User(email=email, email_index=index, password_hash="", name=f"Chiyo {number}", customer_number=own)
        user.status = "active"
        session.add(user)
        await session.flush()
        ids = {"whmcs_client_id": client.id, "sf_account_id": f"001{number:015}", "sf_contact_id": f"003{number:015}"}
        session.add(IdMapping(user_id=user.id, customer_number=own, **ids))
    async with portal.database.identity() as session:
        tokens = await portal.identity.sessions.open(
            session, user.id, factors=("pwd",), browser="bench", address="127.0.0.1"
        )
    return f"{cookie_name(portal.settings, 'access')}={tokens.access}"


def burst(url: str, cookies: list[str]) -> list[float]:
    """Send one request per cookie at the same time over open connections; return the milliseconds of each."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_burst(url, cookies))


async def _burst(url: str, cookies: list[str]) -> list[float]:
    parts = urlsplit(url)
    connections = [await asyncio.open_connection(parts.hostname, parts.port) for _ in cookies]
    head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n"

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cookie: str) -> float:
        began = time.perf_counter()
        writer.write(f"{head}Cookie: {cookie}\r\n\r\n".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(re.search(r"content-length: (\d+)", answer)[1]))
        took = (time.perf_counter() - began) * 1000
        writer.close()
        if not answer.startswith("http/1.1 200"):
            raise SystemExit(f"{url} answered {answer.splitlines()[0]}")
        return took

    return list(await asyncio.gather(*(ask(*pair, cookie) for pair, cookie in zip(connections, cookies, strict=True))))
