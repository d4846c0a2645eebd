"""The one composition root: every part is made and joined here, and nowhere else."""

from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from portal_app.domain.ports import EventStream
from portal_app.infra.cache import Cache
from portal_app.infra.database import Database
from portal_app.infra.durable import DurableQueue
from portal_app.infra.encryption import KeyRing, use_key_ring
from portal_app.infra.letter_writer import Letters
from portal_app.infra.live import LiveUpdates
from portal_app.infra.mail import SmtpMailer
from portal_app.infra.passwords import Passwords
from portal_app.infra.rate_limit import RateLimits
from portal_app.infra.redis_client import connect
from portal_app.infra.settings import Settings
from portal_app.infra.tokens import RandomTokens
from portal_app.integrations.build import Vendors, build_vendors
from portal_app.integrations.whmcs.webhooks import verify as verify_whmcs_webhook
from portal_app.services.accounts import Accounts, Vault
from portal_app.services.billing import Billing
from portal_app.services.catalog import Catalog
from portal_app.services.inbound import Inbound
from portal_app.services.notifications import Notifications
from portal_app.services.onboarding import Onboarding
from portal_app.services.orders import Orders
from portal_app.services.provisioning import Provisioning
from portal_app.services.sessions import Sessions
from portal_app.services.subscriptions import Subscriptions
from portal_app.services.upkeep import Upkeep

PRODUCT = "Hikari Portal"
verify_webhook = verify_whmcs_webhook


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal of one process: its services and what they stand on."""

    settings: Settings
    database: Database
    redis: Redis
    queue: DurableQueue
    live: LiveUpdates
    limits: RateLimits
    stream: EventStream
    accounts: Accounts
    sessions: Sessions
    catalog: Catalog
    billing: Billing
    subscriptions: Subscriptions
    orders: Orders
    onboarding: Onboarding
    provisioning: Provisioning
    notifications: Notifications
    inbound: Inbound
    upkeep: Upkeep
    vault: Vault
    vendors: Vendors

    async def close(self) -> None:
        """Give everything back."""
        await self.vendors.close()
        await self.database.close()
        await self.redis.aclose()
        self.vault.passwords.close()
        self.queue.close()


class _Built:
    """The process's portal, once built."""

    portal: Portal | None = None


def portal() -> Portal:
    """Return this process's portal. Raises RuntimeError before `use`."""
    if _Built.portal is None:
        raise RuntimeError("the portal is not built in this process")
    return _Built.portal


def use(built: Portal) -> Portal:
    """Make a portal this process's own."""
    _Built.portal = built
    return built


def build(settings: Settings, *, role: Literal["web", "worker"]) -> Portal:
    """Join all parts for one process. Opens no connection by itself."""
    ring = KeyRing.parse(settings.portal_keys.get_secret_value(), settings.portal_index_key.get_secret_value())
    use_key_ring(ring)
    redis = connect(settings.redis_url)
    database = Database(settings, role)
    queue = DurableQueue(settings, role)
    live = LiveUpdates(redis)
    limits = RateLimits(settings.redis_url)
    cache = Cache(redis)
    vendors = build_vendors(settings, redis)
    letters = Letters(portal_url=settings.portal_url, support=settings.portal_support_email, product=PRODUCT)
    notifications = Notifications(database, queue, SmtpMailer(settings), letters)
    sessions = Sessions(settings, database, redis, live, notifications)
    secret = settings.jwt_refresh_secret.get_secret_value()
    vault = Vault(Passwords(rounds=settings.bcrypt_rounds, pepper=secret), RandomTokens(secret), ring)
    catalog = Catalog(settings, cache, vendors.catalog)
    billing = Billing(settings, database, cache, vendors.billing)
    subscriptions = Subscriptions(settings, database, cache, vendors.billing)
    return Portal(
        settings=settings,
        database=database,
        redis=redis,
        queue=queue,
        live=live,
        limits=limits,
        stream=vendors.stream,
        accounts=Accounts(
            settings, database, vault, limits, sessions=sessions, notifications=notifications, queue=queue
        ),
        sessions=sessions,
        catalog=catalog,
        billing=billing,
        subscriptions=subscriptions,
        orders=Orders(database, catalog, billing, notifications=notifications, queue=queue),
        onboarding=Onboarding(database, vendors.billing, vendors.crm, notifications=notifications, live=live),
        provisioning=Provisioning(
            database,
            vendors.billing,
            vendors.crm,
            billing=billing,
            subscriptions=subscriptions,
            notifications=notifications,
            live=live,
        ),
        notifications=notifications,
        inbound=Inbound(
            database,
            queue,
            vendors.billing,
            catalog=catalog,
            billing=billing,
            subscriptions=subscriptions,
            live=live,
        ),
        upkeep=Upkeep(database),
        vault=vault,
        vendors=vendors,
    )
