"""The Salesforce client at a scripted server: fixtures and shared calls."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.vendor_call import VendorCall
from tests.support.vendors.keys import new_key
from tests.support.vendors.scripted_server import ScriptedServer, http, scripted_server

ORDER = "801xx0000000001AAA"
EXPIRED = http([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
ROWS = http({"totalSize": 1, "done": True, "records": [{"Id": ORDER}]})
HTML = http(b"<html>maintenance</html>", 503)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("key"))


@pytest.fixture
def settings(server: ScriptedServer, key_file: Path) -> Settings:
    return Settings(
        portal_env="development",
        sf_login_url=server.url,
        sf_client_id="consumer",
        sf_username="portal@example.jp",
        sf_private_key_file=str(key_file),
        sf_timeout=0.5,
        sf_threads=3,
    )


class Limiters:
    """The rate limiters of plain and of long calls, and the number of slots taken in each."""

    def __init__(self, redis: Redis) -> None:
        limits = {"concurrency": 9, "rate": "1000/minute", "queue": 90, "timeout": 2.0}
        self.plain, self.long = (
            VendorLimiter(redis, name, CallLimits(**limits)) for name in ("salesforce", "salesforce-long")
        )

    async def slots_taken(self) -> tuple[int, int]:
        hours = [(await limiter.state())["hour"] for limiter in (self.plain, self.long)]
        return hours[0].get("entered", 0), hours[1].get("entered", 0)


@pytest.fixture
def limiters(redis: Redis) -> Limiters:
    return Limiters(redis)


@pytest.fixture
async def client(settings: Settings, limiters: Limiters) -> AsyncIterator[SalesforceClient]:
    login = SalesforceLogin(settings, vendor_client(timeout=0.5))
    line, long_line = (VendorCall("salesforce", limiter, timeout=1.0) for limiter in (limiters.plain, limiters.long))
    client = SalesforceClient(settings, login, line, long_line=long_line)
    yield client
    await client.aclose()
    await login.aclose()


def token(server: ScriptedServer, value: str = "00D!first") -> bytes:
    answer = {"access_token": value, "instance_url": server.url, "id": "https://x/id/00Dxx0000000001EAA/005xx"}
    return http(answer)


def by_path(server: ScriptedServer, rest: Callable[[dict[str, str]], bytes] | bytes) -> Callable[[dict], bytes]:
    """Answer logins with a fresh token each, and everything else as scripted."""
    logins = iter(range(100))

    def answer(form: dict[str, str]) -> bytes:
        if "/oauth2/token" in server.asked[-1]:
            return token(server, f"00D!token{next(logins)}")
        return rest(form) if callable(rest) else rest

    return answer


def logins(server: ScriptedServer) -> int:
    return sum("/oauth2/token" in asked for asked in server.asked)


async def find(client: SalesforceClient) -> list:
    return await client.query("SELECT Id FROM Order WHERE Name = {name}", name="O'Brien \\ x")
