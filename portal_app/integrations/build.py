"""Putting the vendors together: the one place that knows which client needs which lane and login."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import stamina.instrumentation
from redis.asyncio import Redis

from portal_app.domain.ports import BillingGateway, CatalogGateway, CrmGateway, EventStream
from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.lanes import Lane
from portal_app.integrations.line import VendorLine
from portal_app.integrations.salesforce.catalog import SalesforceCatalog
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.crm import SalesforceCrm
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.salesforce.pubsub import SalesforceEventStream
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.gateway import WHMCSGateway

WAITING_PER_SLOT = 25


@dataclass(frozen=True, slots=True)
class Vendors:
    """The vendors behind our ports."""

    billing: BillingGateway
    catalog: CatalogGateway
    crm: CrmGateway
    stream: EventStream
    _closers: tuple[Callable[[], Awaitable[None]], ...]

    async def close(self) -> None:
        """Close every connection and thread pool."""
        for closer in self._closers:
            await closer()


def build_vendors(settings: Settings, redis: Redis) -> Vendors:
    """Return clients for the vendors the settings name. Opens no connection yet. `redis` should fail fast."""
    # Repetitions are told once by the line itself; stamina's own hook would log every one of them.
    stamina.instrumentation.set_on_retry_hooks([])
    whmcs = WHMCSClient(settings, vendor_client(timeout=settings.whmcs_timeout), _whmcs_line(settings, redis))
    login_http = vendor_client(timeout=settings.sf_timeout, ca_file=settings.sf_ca_file, connections=2)
    login = SalesforceLogin(settings, login_http)
    salesforce = SalesforceClient(settings, login, _salesforce_line(settings, redis))
    stream = SalesforceEventStream(settings, login)
    return Vendors(
        billing=WHMCSGateway(whmcs, settings),
        catalog=SalesforceCatalog(salesforce, settings),
        crm=SalesforceCrm(salesforce, settings),
        stream=stream,
        _closers=(stream.aclose, salesforce.aclose, login.aclose, whmcs.aclose),
    )


def _whmcs_line(settings: Settings, redis: Redis) -> VendorLine:
    lane = Lane(
        redis,
        "whmcs",
        concurrency=settings.whmcs_concurrency,
        rate=settings.whmcs_rate,
        queue=settings.whmcs_concurrency * WAITING_PER_SLOT,
        timeout=settings.whmcs_timeout,
    )
    return VendorLine("whmcs", lane, timeout=settings.whmcs_timeout)


def _salesforce_line(settings: Settings, redis: Redis) -> VendorLine:
    lane = Lane(
        redis,
        "salesforce",
        concurrency=settings.sf_concurrency,
        rate=settings.sf_rate,
        queue=settings.sf_concurrency * WAITING_PER_SLOT,
        timeout=settings.sf_timeout,
    )
    return VendorLine("salesforce", lane, timeout=settings.sf_timeout)
