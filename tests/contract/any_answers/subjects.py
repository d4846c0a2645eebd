"""Gateways put to the test with any answers: how those of a vendor are made for an address.

What they can be asked, and what may come back, stands in `vendor_calls.py`.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from redis.asyncio import Redis

from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.freebit.gateway import FreebitGateway
from portal_app.integrations.freebit.locks import LineLocks
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.cancellations import SalesforceCancellations
from portal_app.integrations.salesforce.catalog import SalesforceCatalog
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.crm import SalesforceCrm
from portal_app.integrations.salesforce.eligibility import SalesforceEligibility
from portal_app.integrations.salesforce.existing_accounts import SalesforceExistingAccounts
from portal_app.integrations.salesforce.files import SalesforceFiles
from portal_app.integrations.salesforce.kyc import SalesforceKyc
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.salesforce.sim_inventory import SalesforceSimInventory
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.local_breaker import BreakerTimes
from portal_app.integrations.throttling.vendor_call import VendorCall
from portal_app.integrations.whmcs.charges import WHMCSCharges
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.client_records import WHMCSClientRecords
from portal_app.integrations.whmcs.invoices import WHMCSInvoices
from portal_app.integrations.whmcs.logins import WHMCSLogins
from portal_app.integrations.whmcs.orders import WHMCSOrders
from portal_app.integrations.whmcs.payments import WHMCSPayments
from portal_app.integrations.whmcs.people import WHMCSPeople
from portal_app.integrations.whmcs.products import WHMCSProducts
from portal_app.integrations.whmcs.services import WHMCSServices
from portal_app.integrations.whmcs.sso import WHMCSSso
from tests.support.running.world import servers
from tests.support.vendors.freebit_answers import ok
from tests.support.vendors.scripted_server import http

TIMEOUT = 0.25
FAILURES = 5


@dataclass(frozen=True)
class Subject:
    """A vendor's gateways at an address, and its good answer to a login where it has one."""

    gateway: Any
    line: VendorCall
    token: bytes = b""


@asynccontextmanager
async def whmcs(url: str, redis: Redis, key_file: Path, timeout: float = TIMEOUT) -> AsyncIterator[Subject]:
    """WHMCS, with the address of its API."""
    settings = Settings(portal_env="development", whmcs_url=url, whmcs_api_url=f"{url}/includes/api.php")
    line = line_of(redis, "whmcs", timeout)
    client = WHMCSClient(settings, vendor_client(timeout=timeout), line)
    async with aclosing(client):
        clients, services = WHMCSClientRecords(client, settings), WHMCSServices(client, settings)
        doors = SimpleNamespace(
            clients=clients,
            people=WHMCSPeople(client),
            sso=WHMCSSso(client, settings),
            invoices=WHMCSInvoices(client, settings),
            charges=WHMCSCharges(client, settings),
            payment_methods=WHMCSPayments(client, settings, clients),
            subscriptions=services,
            whmcs_orders=WHMCSOrders(client, settings, services),
            product_prices=WHMCSProducts(client, settings),
            logins=WHMCSLogins(client, settings),
        )
        yield Subject(doors, line)


@asynccontextmanager
async def salesforce(url: str, redis: Redis, key_file: Path, timeout: float = TIMEOUT) -> AsyncIterator[Subject]:
    """Salesforce, login and instance at one address."""
    settings = Settings(
        portal_env="development",
        sf_login_url=url,
        sf_private_key_file=str(key_file),
        sf_timeout=timeout,
        sf_threads=2,
        portal_pricebook_id="01sxx0000000001AAA",
    )
    login = SalesforceLogin(settings, vendor_client(timeout=timeout))
    line = line_of(redis, "salesforce", timeout)
    client = SalesforceClient(settings, login, line)
    doors = SimpleNamespace(
        client=client,
        catalog=SalesforceCatalog(client, settings),
        crm=SalesforceCrm(client, settings),
        existing_accounts=SalesforceExistingAccounts(client),
        files=SalesforceFiles(client, settings),
        sims=SalesforceSimInventory(client),
        identity=SalesforceKyc(client),
        internet=SalesforceEligibility(client),
        cancellations=SalesforceCancellations(client),
    )
    identity = "https://login/id/00Dxx0000000001EAA/005xx"
    async with aclosing(login), aclosing(client):
        yield Subject(doors, line, http({"access_token": "00D!x", "instance_url": url, "id": identity}))


@asynccontextmanager
async def freebit(url: str, redis: Redis, key_file: Path, timeout: float = TIMEOUT) -> AsyncIterator[Subject]:
    """Freebit, with an id and a secret."""
    # No change waits for another: each call is a case of its own.
    settings = Settings(
        portal_env="development",
        freebit_url=url,
        freebit_client_id="id",
        freebit_client_secret="secret",
        freebit_pending_seconds=0,
        freebit_lock_seconds=0,
    )
    line, cache, ring = line_of(redis, "freebit", timeout), Cache(redis), key_ring_of(settings)
    database = Database(settings.model_copy(update={"database_url": servers().postgres.url()}), "web")
    client = FreebitClient(settings, vendor_client(timeout=timeout), line, cache=cache, ring=ring)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await stack.enter_async_context(aclosing(client))
        yield Subject(FreebitGateway(client, settings, cache, LineLocks(database, ring), ring), line, ok(authKey="key"))


def line_of(redis: Redis, vendor: str, timeout: float) -> VendorCall:
    """Return a line with short times."""
    limiter = VendorLimiter(redis, vendor, CallLimits(concurrency=5, rate="1000/second", queue=20, timeout=0.5))
    return VendorCall(vendor, limiter, timeout=timeout, times=BreakerTimes(failures=FAILURES, open=10.0))
