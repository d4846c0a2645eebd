"""Builds the checks of all vendors over clients of their own, which touch neither breaker nor rate limiter."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis

from portal_app.infra.checks.ca_files import usable
from portal_app.infra.checks.check import Check
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.client import connect
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.integrations.checks.freebit import freebit_checks
from portal_app.integrations.checks.salesforce import SalesforceChecks
from portal_app.integrations.checks.whmcs import OurRecords, WhmcsChecks
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.catalog import SalesforceCatalog
from portal_app.integrations.salesforce.client import SalesforceClient
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.throttling.single_call import SingleCall
from portal_app.integrations.whmcs.client import WHMCSClient


@asynccontextmanager
async def vendor_checks(settings: Settings, ours: OurRecords | None) -> AsyncIterator[list[Check]]:
    """Yield the checks of all vendors, Salesforce's first; closes their connections at the end."""
    async with AsyncExitStack() as stack:
        redis = connect(settings.redis_url, seconds=settings.redis_timeout)
        stack.push_async_callback(redis.aclose)
        checks, salesforce = await _salesforce(settings, redis, stack)
        timeout = settings.whmcs_timeout
        site = await stack.enter_async_context(vendor_client(timeout=timeout))
        whmcs = WHMCSClient(settings, vendor_client(timeout=timeout), SingleCall("whmcs", redis, timeout=timeout))
        stack.push_async_callback(whmcs.aclose)
        sold = SalesforceCatalog(salesforce, settings).items
        checks += WhmcsChecks(settings, whmcs, site, ours=ours, sold=sold).all()
        yield checks + _freebit(settings, redis, stack)


async def _salesforce(settings: Settings, redis: Redis, stack: AsyncExitStack) -> tuple[list[Check], SalesforceClient]:
    timeout, ca_file = settings.sf_timeout, usable(settings.sf_ca_file)
    login = SalesforceLogin(settings, vendor_client(timeout=timeout, ca_file=ca_file))
    stack.push_async_callback(login.aclose)
    client = SalesforceClient(settings, login, SingleCall("salesforce", redis, timeout=timeout))
    stack.push_async_callback(client.aclose)
    http = await stack.enter_async_context(vendor_client(timeout=timeout, ca_file=ca_file))
    return SalesforceChecks(settings, login, client, http).all(), client


def _freebit(settings: Settings, redis: Redis, stack: AsyncExitStack) -> list[Check]:
    timeout = settings.freebit_timeout
    http = vendor_client(timeout=timeout, ca_file=usable(settings.freebit_ca_file))
    # Nothing is sealed, so that a key ring that cannot be used hides nothing of Freebit.
    ring = KeyRing({1: os.urandom(32)}, b"")
    line = SingleCall("freebit", redis, timeout=timeout)
    client = FreebitClient(settings, http, line, cache=Cache(redis), ring=ring)
    stack.push_async_callback(client.aclose)
    return freebit_checks(settings, client)
