"""The composition root: builds every service of a process once and makes them available by capability."""

from dataclasses import dataclass

from redis.asyncio import Redis

from portal_app.infra.clock import follow_offset
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.settings import Settings
from portal_app.integrations.build import Vendors
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.checkout.checkout import Checkout
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.flash_messages import FlashMessages
from portal_app.services.idempotency import Idempotency
from portal_app.services.mirrors.cached_reads import CachedReads
from portal_app.services.orders.orders import Orders
from portal_app.services.response_cache import ResponseCache
from portal_app.wiring.base import Role, build_base
from portal_app.wiring.billing import BillingServices, build_billing
from portal_app.wiring.dashboard import DashboardServices, build_dashboard
from portal_app.wiring.help import HelpServices, StatusServices, build_help, build_status
from portal_app.wiring.identity import IdentityServices, build_context, build_identity
from portal_app.wiring.line_orders import LineOrderServices, build_line_orders
from portal_app.wiring.notifications import NotificationServices, build_notifications
from portal_app.wiring.operations import InboundServices, OperationServices, build_inbound, build_operations
from portal_app.wiring.orders import (
    InternetServices,
    Provisioning,
    build_catalog,
    build_internet,
    build_orders,
    build_provisioning,
    checkout_context,
)
from portal_app.wiring.profile import ProfileServices, build_profile
from portal_app.wiring.registration import RegistrationServices, build_registration
from portal_app.wiring.subscriptions import (
    CallServices,
    SimServices,
    SubscriptionServices,
    build_calls,
    build_sim,
    build_subscriptions,
)
from portal_app.wiring.support import SupportServices, build_about, build_support
from portal_app.wiring.uploads import UploadServices, build_uploads


@dataclass(frozen=True, slots=True)
class Portal:
    """All parts of one process: stores and vendors, then the services, grouped like the folders."""

    settings: Settings
    database: Database
    redis: Redis
    cache: Cache
    queue: DurableQueue
    live: LiveUpdates
    reads: CachedReads
    limits: RateLimits
    vendors: Vendors
    response_cache: ResponseCache
    flash_messages: FlashMessages
    idempotency: Idempotency
    identity: IdentityServices
    registration: RegistrationServices
    profile: ProfileServices
    billing: BillingServices
    subscriptions: SubscriptionServices
    sim: SimServices
    calls: CallServices
    line_orders: LineOrderServices
    internet: InternetServices
    catalog: Catalog
    checkout: Checkout
    drafts: Drafts
    orders: Orders
    provisioning: Provisioning
    dashboard: DashboardServices
    support: SupportServices
    uploads: UploadServices
    help: HelpServices
    status: StatusServices
    notifications: NotificationServices
    inbound: InboundServices
    operations: OperationServices

    async def close(self) -> None:
        """Close every connection and stop background work."""
        services = self.subscriptions.services.freshness
        for part in (self.billing.invoices, services, self.billing.payment_methods, self.reads, self.cache):
            await part.close()
        await self.vendors.close()
        await self.database.close()
        await self.limits.close()
        await self.redis.aclose()
        self.identity.secrets.passwords.close()
        self.queue.close()


class _Process:
    """Stores the portal of this process."""

    portal: Portal | None = None


def portal() -> Portal:
    """Return this process's portal. Raises RuntimeError before `set_portal`."""
    if _Process.portal is None:
        raise RuntimeError("the portal is not built in this process")
    return _Process.portal


def set_portal(built: Portal) -> Portal:
    """Set this process's portal and return it."""
    _Process.portal = built
    return built


def build(settings: Settings, *, role: Role) -> Portal:
    """Build all parts for one process. Opens no connection."""
    follow_offset(settings.portal_clock_file)
    base = build_base(settings, role)
    context = build_context(base)
    identity, uploads = build_identity(context), build_uploads(base, context)
    profile = build_profile(base, context, uploads.handing_over)
    billing, catalog = build_billing(base, context), build_catalog(base)
    subscriptions = build_subscriptions(base, context, billing, catalog)
    sim, internet = build_sim(base, context, catalog, billing=billing), build_internet(base, context, profile)
    checkout = checkout_context(context, billing, subscriptions, profile, internet)
    orders = build_orders(base, catalog, checkout)
    about = build_about(billing.invoices, orders.orders, subscriptions.services, sim.line_status)
    provisioning = build_provisioning(base, billing, subscriptions, profile.kyc_review)
    response_cache = ResponseCache(
        base.cache, sessions=context.sessions, limits=context.limits, limit=settings.portal_api_limit
    )
    return Portal(
        settings=settings, database=base.database, redis=base.redis, cache=base.cache, queue=base.queue,
        live=base.live, reads=base.reads, limits=context.limits, vendors=base.vendors,
        response_cache=response_cache,
        flash_messages=FlashMessages(base.redis, limit=settings.portal_refusal_limit),
        idempotency=Idempotency(settings, base.database, context.secrets.tokens),
        identity=identity,
        registration=build_registration(base, context, identity.sign_in),
        profile=profile, billing=billing,
        subscriptions=subscriptions,
        sim=sim, calls=build_calls(base),
        line_orders=build_line_orders(base, context, catalog, sim, billed=(billing, subscriptions)),
        internet=internet,
        catalog=orders.catalog, checkout=orders.checkout, drafts=orders.drafts, orders=orders.orders,
        provisioning=provisioning,
        dashboard=build_dashboard(base, context, billing, subscriptions),
        support=build_support(base, context, about=about, uploads=uploads), uploads=uploads,
        help=build_help(base, context),
        status=build_status(base),
        notifications=build_notifications(base),
        inbound=build_inbound(base, billing, subscriptions, orders.catalog),
        operations=build_operations(base, billing, subscriptions, provisioning),
    )  # fmt: skip
