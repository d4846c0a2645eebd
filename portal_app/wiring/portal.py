"""The portal of one process: every service, built once and found here."""

from dataclasses import dataclass

from redis.asyncio import Redis

from portal_app.domain.ports.event_stream import EventStream
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.secrets import Secrets
from portal_app.infra.settings import Settings
from portal_app.integrations.build import Vendors
from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.billing.reminders import Reminders
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.checkout.checkout import Checkout
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.dashboard.calendar_feed import Calendar
from portal_app.services.dashboard.summary import DashboardSummary
from portal_app.services.flash_messages import FlashMessages
from portal_app.services.idempotency import Idempotency
from portal_app.services.identity.accounts import Accounts
from portal_app.services.identity.devices import Devices
from portal_app.services.identity.mfa_challenge import MfaChallenge
from portal_app.services.identity.passkeys import Passkeys
from portal_app.services.identity.sessions import Sessions
from portal_app.services.identity.step_up import StepUp
from portal_app.services.identity.totp import Totp
from portal_app.services.inbound.billing_changes import BillingChanges
from portal_app.services.inbound.inbox import Inbound
from portal_app.services.inbound.reconcile import Reconcile
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import Notices
from portal_app.services.notifications.preferences import NotificationPreferences
from portal_app.services.operations.cleanup import Cleanup
from portal_app.services.operations.invariants import Invariants
from portal_app.services.operations.mirror_refresh import MirrorRefresh
from portal_app.services.operations.order_repair import OrderRepair
from portal_app.services.orders.orders import Orders
from portal_app.services.profile.email_changes import EmailChanges
from portal_app.services.profile.kyc_documents import KycDocuments
from portal_app.services.profile.kyc_review import KycReview
from portal_app.services.profile.postcodes import Postcodes
from portal_app.services.profile.profile_changes import ProfileChanges
from portal_app.services.profile.profiles import Profiles
from portal_app.services.registration.account_setup import AccountSetup
from portal_app.services.registration.whmcs_migration_setup import WhmcsMigrationSetup
from portal_app.services.response_cache import ResponseCache
from portal_app.services.sim.line_status import LineStatus
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.wiring.base import Role, build_base
from portal_app.wiring.billing import build_billing
from portal_app.wiring.dashboard import build_dashboard
from portal_app.wiring.identity import Entry, build_identity
from portal_app.wiring.orders import Internet, Provisioning, build_fulfilment, build_orders
from portal_app.wiring.profile import build_profile
from portal_app.wiring.subscriptions import Cancelling, build_subscriptions


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal of one process: its services and what they stand on."""

    settings: Settings
    database: Database
    redis: Redis
    cache: Cache
    queue: DurableQueue
    live: LiveUpdates
    limits: RateLimits
    answers: ResponseCache
    stream: EventStream
    accounts: Accounts
    entry: Entry
    sessions: Sessions
    second_step: MfaChallenge
    step_up: StepUp
    two_step: Totp
    passkeys: Passkeys
    devices: Devices
    profiles: Profiles
    profile_changes: ProfileChanges
    email_changes: EmailChanges
    flashes: FlashMessages
    idempotency: Idempotency
    postcodes: Postcodes
    identity_documents: KycDocuments
    identity_checks: KycReview
    catalog: Catalog
    billing: Billing
    billing_changes: BillingChanges
    mirror_upkeep: MirrorRefresh
    overview: DashboardSummary
    payments: Payments
    subscriptions: Subscriptions
    cancelling: Cancelling
    calendar: Calendar
    reminders: Reminders
    checkout: Checkout
    drafts: Drafts
    orders: Orders
    internet: Internet
    onboarding: AccountSetup
    moving_in: WhmcsMigrationSetup
    provisioning: Provisioning
    line_states: LineStatus
    order_desk: OrderRepair
    invariants: Invariants
    notifications: EmailOutbox
    notices: Notices
    notification_choices: NotificationPreferences
    inbound: Inbound
    upkeep: Cleanup
    reconcile: Reconcile
    vault: Secrets
    vendors: Vendors

    async def close(self) -> None:
        """Give everything back."""
        for part in (self.billing.freshness, self.subscriptions.freshness, self.payments, self.overview, self.cache):
            await part.close()
        await self.vendors.close()
        await self.database.close()
        await self.limits.close()
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


def build(settings: Settings, *, role: Role) -> Portal:
    """Join all parts for one process. Opens no connection by itself."""
    base = build_base(settings, role)
    identity = build_identity(base)
    profile, bills = build_profile(base, identity.context), build_billing(base)
    served = build_subscriptions(base, identity.context, bills)
    sold = build_orders(base, identity.context, bills, profile)
    carried = build_fulfilment(base, bills, profile.identity_checks)
    sessions, limits = identity.context.sessions, identity.context.limits
    answers = ResponseCache(base.cache, sessions=sessions, limits=limits, limit=settings.portal_api_limit)
    return Portal(
        settings=settings, database=base.database, redis=base.redis, cache=base.cache, queue=base.queue,
        live=base.live, vendors=base.vendors, stream=base.vendors.stream, notifications=base.notifications,
        answers=answers, limits=limits, sessions=sessions, vault=identity.context.vault,
        accounts=identity.accounts, entry=identity.entry, second_step=identity.second_step, step_up=identity.step_up,
        two_step=identity.two_step, passkeys=identity.passkeys, devices=identity.devices,
        onboarding=identity.onboarding, moving_in=identity.moving_in,
        flashes=profile.flashes, postcodes=profile.postcodes, profiles=profile.profiles,
        profile_changes=profile.profile_changes, email_changes=profile.email_changes,
        identity_documents=profile.identity_documents, identity_checks=profile.identity_checks,
        billing=bills.billing, payments=bills.payments, subscriptions=bills.subscriptions,
        mirror_upkeep=bills.mirror_upkeep, billing_changes=bills.billing_changes,
        cancelling=served.cancelling, calendar=served.calendar, reminders=served.reminders,
        notification_choices=served.notification_choices,
        catalog=sold.catalog, checkout=sold.checkout, drafts=sold.drafts, orders=sold.orders,
        idempotency=sold.idempotency, internet=sold.internet,
        provisioning=carried.provisioning, line_states=carried.line_states, invariants=carried.invariants,
        order_desk=carried.order_desk, notices=carried.notices,
        overview=build_dashboard(base, bills),
        inbound=Inbound(base.database, base.queue, catalog=sold.catalog),
        upkeep=Cleanup(base.database), reconcile=Reconcile(base.database, base.vendors.crm),
    )  # fmt: skip
