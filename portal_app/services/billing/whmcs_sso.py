"""Links that lead a customer into WHMCS, signed in: made on click, audited, never stored."""

from urllib.parse import urlsplit

from portal_app.domain.errors import ExternalRejected
from portal_app.domain.ports.clients import SsoGateway
from portal_app.domain.profile.customer import Customer
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.deadline import deadline
from portal_app.services.audit import Tag, record
from portal_app.services.customer_limits import CustomerLimits


class LimitedLinks:
    """WHMCS's links within the limit of their customer. Raises RateLimited beyond it."""

    def __init__(self, gateway: SsoGateway, limits: CustomerLimits) -> None:
        self._gateway = gateway
        self._limits = limits

    async def sign_on_link(self, client_id: int, path: str) -> str:
        """Return a single-use link, as the gateway does."""
        await self._limits.count_link(client_id)
        return await self._gateway.sign_on_link(client_id, path)


class WhmcsSso:
    """Make single-use links."""

    def __init__(self, settings: Settings, database: Database, gateway: SsoGateway) -> None:
        self._seconds = settings.mirror_patience_seconds
        self._origin = urlsplit(settings.whmcs_url)[:2]
        self._database = database
        self._gateway = gateway

    async def link(self, customer: Customer, path: str) -> str:
        """Return a link to a relative path at WHMCS.

        Raises ExternalUnavailable, also where WHMCS is slow, and ExternalRejected for a link that leads elsewhere.
        """
        async with deadline(self._seconds, vendor="whmcs"):
            link = await self._gateway.sign_on_link(customer.whmcs_client_id, path)
        if urlsplit(link)[:2] != self._origin:
            raise ExternalRejected("sign-on link leads elsewhere", vendor="whmcs")
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            page = {"page": path.split("?")[0]}
            record(session, Tag.SIGN_ON_LINK, user_id=customer.user_id, actor="you", detail=page)
        return link
