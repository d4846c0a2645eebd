"""Builds the vendors' clients: the one place that knows which client needs which rate limiter and login."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import stamina.instrumentation
from redis.asyncio import Redis

from portal_app.domain.ports.billing import (
    InvoiceGateway,
    PaymentMethodGateway,
    ProductPriceGateway,
    SubscriptionGateway,
    WhmcsOrderGateway,
)
from portal_app.domain.ports.cancellation import CancellationCaseGateway
from portal_app.domain.ports.catalog import CatalogGateway
from portal_app.domain.ports.charges import ChargeGateway
from portal_app.domain.ports.clients import ClientGateway, PeopleGateway, SsoGateway
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.ports.event_stream import EventStream
from portal_app.domain.ports.files import FileGateway
from portal_app.domain.ports.internet import EligibilityGateway
from portal_app.domain.ports.kyc import KycGateway
from portal_app.domain.ports.sim import SimInventoryGateway, SimLines
from portal_app.domain.ports.support import CaseGateway
from portal_app.domain.ports.whmcs_accounts import BillingLogins, ExistingAccounts
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.freebit.gateway import FreebitGateway
from portal_app.integrations.freebit.locks import LineLocks
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.budget import DailyBudget
from portal_app.integrations.salesforce.cancellations import SalesforceCancellations
from portal_app.integrations.salesforce.cases import SalesforceCases
from portal_app.integrations.salesforce.catalog import SalesforceCatalog
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.crm import SalesforceCrm
from portal_app.integrations.salesforce.eligibility import SalesforceEligibility
from portal_app.integrations.salesforce.existing_accounts import SalesforceExistingAccounts
from portal_app.integrations.salesforce.files import SalesforceFiles
from portal_app.integrations.salesforce.kyc import SalesforceKyc
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.salesforce.pubsub import SalesforceEventStream
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


@dataclass(frozen=True, slots=True)
class LimiterSettings:
    """The name of a rate limiter and the first part of the names of its settings."""

    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Vendors:
    """The vendors behind our ports."""

    clients: ClientGateway
    people: PeopleGateway
    sso: SsoGateway
    invoices: InvoiceGateway
    charges: ChargeGateway
    payment_methods: PaymentMethodGateway
    subscriptions: SubscriptionGateway
    whmcs_orders: WhmcsOrderGateway
    product_prices: ProductPriceGateway
    catalog: CatalogGateway
    crm: CrmGateway
    logins: BillingLogins
    existing_accounts: ExistingAccounts
    stream: EventStream
    lines: tuple[VendorCall, ...]
    sims: SimLines
    sim_inventory: SimInventoryGateway
    kyc: KycGateway
    internet: EligibilityGateway
    cancellations: CancellationCaseGateway
    cases: CaseGateway
    files: FileGateway
    _budget: DailyBudget
    _closers: tuple[Callable[[], Awaitable[None]], ...]

    async def limiter_states(self) -> dict[str, dict[str, Any]]:
        """Return the state of each rate limiter and its vendor's breaker, by the limiter's name."""
        found = {line.limiter.name: await line.state() for line in self.lines}
        found["salesforce"]["daily_requests"] = self._budget.state()
        return found

    async def breaker_states(self) -> dict[str, str]:
        """Return the state of each vendor's circuit breaker, by the vendor's name."""
        # Two rate limiters of one vendor share its breaker.
        lines = {line.vendor: line for line in self.lines}
        return {vendor: await line.breaker.state() for vendor, line in lines.items()}

    async def close(self) -> None:
        """Close every connection and thread pool."""
        for closer in self._closers:
            await closer()
        for line in self.lines:
            await line.limiter.close()


def build_vendors(settings: Settings, redis: Redis, database: Database) -> Vendors:
    """Return clients for the vendors the settings name. Opens no connection yet. `redis` should fail fast."""
    # VendorCall logs an outage once; stamina's own hook would log every retry.
    stamina.instrumentation.set_on_retry_hooks([])
    whmcs_line = vendor_line(settings, redis, "whmcs", LimiterSettings("whmcs", "whmcs"))
    sf_line = vendor_line(settings, redis, "salesforce", LimiterSettings("salesforce", "sf"))
    sf_long_line = vendor_line(settings, redis, "salesforce", LimiterSettings("salesforce-long", "sf_long"))
    whmcs = WHMCSClient(settings, vendor_client(timeout=settings.whmcs_timeout), whmcs_line)
    clients, services = WHMCSClientRecords(whmcs, settings), WHMCSServices(whmcs, settings)
    login_http = vendor_client(timeout=settings.sf_timeout, ca_file=settings.sf_ca_file, connections=2)
    login = SalesforceLogin(settings, login_http)
    salesforce = SalesforceClient(settings, login, sf_line, long_line=sf_long_line)
    freebit_line = vendor_line(settings, redis, "freebit", LimiterSettings("freebit", "freebit"))
    freebit, sims = _freebit(settings, redis, freebit_line, database=database)
    return Vendors(
        clients=clients,
        people=WHMCSPeople(whmcs),
        sso=WHMCSSso(whmcs, settings),
        invoices=WHMCSInvoices(whmcs, settings),
        charges=WHMCSCharges(whmcs, settings),
        payment_methods=WHMCSPayments(whmcs, settings, clients),
        subscriptions=services,
        whmcs_orders=WHMCSOrders(whmcs, settings, services),
        product_prices=WHMCSProducts(whmcs, settings),
        catalog=SalesforceCatalog(salesforce, settings),
        crm=SalesforceCrm(salesforce, settings),
        logins=WHMCSLogins(whmcs, settings),
        existing_accounts=SalesforceExistingAccounts(salesforce),
        stream=SalesforceEventStream(settings, login),
        sims=sims,
        sim_inventory=SalesforceSimInventory(salesforce),
        kyc=SalesforceKyc(salesforce),
        internet=SalesforceEligibility(salesforce),
        cancellations=SalesforceCancellations(salesforce),
        cases=SalesforceCases(salesforce, settings),
        files=SalesforceFiles(salesforce, settings),
        lines=(whmcs_line, sf_line, sf_long_line, freebit_line),
        _closers=(freebit.aclose, salesforce.aclose, login.aclose, whmcs.aclose),
        _budget=salesforce.budget,
    )


def _freebit(
    settings: Settings, redis: Redis, line: VendorCall, *, database: Database
) -> tuple[FreebitClient, SimLines]:
    ring, cache = key_ring_of(settings), Cache(redis)
    http = vendor_client(timeout=settings.freebit_timeout, ca_file=settings.freebit_ca_file)
    client = FreebitClient(settings, http, line, cache=cache, ring=ring)
    return client, FreebitGateway(client, settings, cache, LineLocks(database, ring), ring)


def vendor_line(settings: Settings, redis: Redis, vendor: str, limiter: LimiterSettings) -> VendorCall:
    """Return the calls to a vendor through the limiter whose settings begin with `limiter.prefix`.

    These are PREFIX_CONCURRENCY, PREFIX_RATE, PREFIX_QUEUE, PREFIX_WAIT and PREFIX_TIMEOUT.
    """
    given = {name: getattr(settings, f"{limiter.prefix}_{name}") for name in ("concurrency", "rate", "queue")}
    limits = CallLimits(
        **given,
        timeout=getattr(settings, f"{limiter.prefix}_wait"),
        customer_percent=settings.vendor_customer_share_percent,
        local_percent=settings.vendor_local_share_percent,
    )
    times = BreakerTimes(failures=settings.portal_breaker_failures, open=settings.portal_breaker_seconds)
    timeout = getattr(settings, f"{limiter.prefix}_timeout")
    return VendorCall(vendor, VendorLimiter(redis, limiter.name, limits), timeout=timeout, times=times)
