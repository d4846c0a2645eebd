"""Clients put to the test with any answers: how each is made for a scripted server, and one read and one write of it.

A further vendor is one more function here and one more line in SUBJECTS.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from redis.asyncio import Redis

from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.lanes import Lane
from portal_app.integrations.line import VendorLine
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.whmcs.client import WHMCSClient
from tests.contract.lanes.scripted_server import ScriptedServer, http

TIMEOUT = 0.25


@dataclass(frozen=True)
class Subject:
    """A client with one call that may be repeated and one that may not; `longest` in seconds.

    `token` is the vendor's good answer to a login, where it has one, and `is_login` recognises the request.
    """

    read: Callable[[], Awaitable[object]]
    write: Callable[[], Awaitable[object]]
    longest: float
    token: bytes = b""
    is_login: Callable[[str], bool] = lambda asked: False


Make = Callable[[ScriptedServer, Redis, Path], AbstractAsyncContextManager[Subject]]


@asynccontextmanager
async def whmcs(server: ScriptedServer, redis: Redis, key_file: Path) -> AsyncIterator[Subject]:
    """WHMCS: reading products and placing an order."""
    settings = Settings(portal_env="development", whmcs_api_url=f"{server.url}/includes/api.php")
    line = line_of(redis, "whmcs")
    client = WHMCSClient(settings, vendor_client(timeout=TIMEOUT), line)
    yield Subject(
        read=lambda: client.call("GetProducts", {}, safe=True),
        write=lambda: client.call("AddOrder", {"clientid": 1}, safe=False),
        longest=line.longest,
    )
    await client.aclose()


@asynccontextmanager
async def salesforce(server: ScriptedServer, redis: Redis, key_file: Path) -> AsyncIterator[Subject]:
    """Salesforce: a query and a composite write."""
    settings = Settings(
        portal_env="development",
        sf_login_url=server.url,
        sf_private_key_file=str(key_file),
        sf_timeout=TIMEOUT,
        sf_threads=2,
    )
    login = SalesforceLogin(settings, vendor_client(timeout=TIMEOUT))
    line = line_of(redis, "salesforce")
    client = SalesforceClient(settings, login, line)
    part = Part("order", "POST", "sobjects/Order", {})
    identity = "https://login/id/00Dxx0000000001EAA/005xx"
    yield Subject(
        read=lambda: client.query("SELECT Id FROM Order WHERE Name = {name}", name="x"),
        write=lambda: client.composite("create", [part], safe=False),
        # A dead session leads to one more call.
        longest=2 * line.longest,
        token=http({"access_token": "00D!x", "instance_url": server.url, "id": identity}),
        is_login=lambda asked: "/oauth2/token" in asked,
    )
    await client.aclose()
    await login.aclose()


SUBJECTS: dict[str, Make] = {"whmcs": whmcs, "salesforce": salesforce}


def line_of(redis: Redis, vendor: str) -> VendorLine:
    """Return a line with short times."""
    lane = Lane(redis, vendor, concurrency=5, rate="1000/minute", queue=20, timeout=0.5)
    return VendorLine(vendor, lane, timeout=TIMEOUT)


def new_key(folder: Path) -> Path:
    """Write a key that signs logins."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "key.pem"
    path.write_bytes(pem)
    return path
