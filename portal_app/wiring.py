"""The one composition root: every part is made and joined here, and nowhere else."""

from dataclasses import dataclass
from typing import Any, Literal

from redis.asyncio import Redis

from portal_app.domain.ports import EventStream
from portal_app.infra.cache import Cache
from portal_app.infra.database import Database
from portal_app.infra.durable import DurableQueue
from portal_app.infra.letter_writer import PRODUCT, Letters
from portal_app.infra.live import LiveUpdates
from portal_app.infra.mail import SmtpMailer
from portal_app.infra.passwords import Passwords
from portal_app.infra.rate_limit import RateLimits
from portal_app.infra.redis_client import connect
from portal_app.infra.sealed_column import use_key_ring
from portal_app.infra.settings import Settings
from portal_app.infra.tokens import RandomTokens
from portal_app.infra.vault import Vault, ring_of
from portal_app.integrations.build import Vendors, build_vendors
from portal_app.integrations.whmcs.webhooks import parse_secrets as parse_webhook_secrets
from portal_app.integrations.whmcs.webhooks import verify as verify_webhook
from portal_app.services.accounts import Accounts
from portal_app.services.admission import Admission
from portal_app.services.billing import Billing, Invoices
from portal_app.services.billing_changes import BillingChanges
from portal_app.services.calendar import Calendar
from portal_app.services.cancelling import Asked, Cancelling, join_cancelling
from portal_app.services.catalog import Catalog
from portal_app.services.checkout import Agreed, Basket, Checkout, Known, Totals, Wish
from portal_app.services.devices import Devices
from portal_app.services.drafts import Draft, Drafts
from portal_app.services.email_changes import EmailChanges
from portal_app.services.entry import Entry, join_entry
from portal_app.services.flashes import Flashes
from portal_app.services.hooks import EARLY as EARLY_HOOKS
from portal_app.services.hooks import HOOKS
from portal_app.services.idempotency import Call, Idempotency
from portal_app.services.identity import IdentityBase
from portal_app.services.identity_checks import IdentityChecks
from portal_app.services.identity_documents import IdentityDocuments
from portal_app.services.inbound import Inbound
from portal_app.services.internet import Internet, join_internet
from portal_app.services.invariants import Invariants
from portal_app.services.kept_answers import KeptAnswers
from portal_app.services.line_endings import LineEndings
from portal_app.services.line_states import LineStates
from portal_app.services.mirror_upkeep import MirrorUpkeep
from portal_app.services.moving_in import MovingIn
from portal_app.services.notices import Notices
from portal_app.services.notification_choices import NotificationChoices
from portal_app.services.notifications import Notifications
from portal_app.services.onboarding import Onboarding
from portal_app.services.open_cases import OpenCases
from portal_app.services.order_desk import Deed, OrderDesk
from portal_app.services.order_progress import OrderProgress
from portal_app.services.orders import Orders
from portal_app.services.overview import Overview
from portal_app.services.passkeys import Passkeys
from portal_app.services.payments import Payments
from portal_app.services.postcodes import Postcodes
from portal_app.services.profile_changes import ProfileChanges
from portal_app.services.profiles import Profiles
from portal_app.services.provisioning import Provisioning, join_provisioning
from portal_app.services.readings import Readings
from portal_app.services.reconcile import Reconcile
from portal_app.services.reminders import Reminders
from portal_app.services.second_step import SecondStep
from portal_app.services.sessions import Sessions
from portal_app.services.sign_on import SignOn
from portal_app.services.sign_up import Purpose
from portal_app.services.step_up import StepUp
from portal_app.services.subscriptions import Services, Subscriptions
from portal_app.services.two_step import TwoStep
from portal_app.services.upkeep import Upkeep

__all__ = [
    "EARLY_HOOKS",
    "HOOKS",
    "PRODUCT",
    "Agreed",
    "Asked",
    "Basket",
    "Call",
    "Deed",
    "Draft",
    "Invoices",
    "Portal",
    "Purpose",
    "Services",
    "Totals",
    "Wish",
    "build",
    "parse_webhook_secrets",
    "portal",
    "use",
    "verify_webhook",
]  # fmt: skip


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
    answers: KeptAnswers
    stream: EventStream
    accounts: Accounts
    entry: Entry
    sessions: Sessions
    second_step: SecondStep
    step_up: StepUp
    two_step: TwoStep
    passkeys: Passkeys
    devices: Devices
    profiles: Profiles
    profile_changes: ProfileChanges
    email_changes: EmailChanges
    flashes: Flashes
    idempotency: Idempotency
    postcodes: Postcodes
    identity_documents: IdentityDocuments
    identity_checks: IdentityChecks
    catalog: Catalog
    billing: Billing
    billing_changes: BillingChanges
    mirror_upkeep: MirrorUpkeep
    overview: Overview
    payments: Payments
    subscriptions: Subscriptions
    cancelling: Cancelling
    calendar: Calendar
    reminders: Reminders
    checkout: Checkout
    drafts: Drafts
    orders: Orders
    internet: Internet
    onboarding: Onboarding
    moving_in: MovingIn
    provisioning: Provisioning
    line_states: LineStates
    order_desk: OrderDesk
    invariants: Invariants
    notifications: Notifications
    notices: Notices
    notification_choices: NotificationChoices
    inbound: Inbound
    upkeep: Upkeep
    reconcile: Reconcile
    vault: Vault
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


def build(settings: Settings, *, role: Literal["web", "worker"]) -> Portal:
    """Join all parts for one process. Opens no connection by itself."""
    redis = connect(settings.redis_url, seconds=settings.redis_timeout)
    cache = Cache(redis)
    live = LiveUpdates(redis, cache)
    letters = Letters(portal_url=settings.portal_url, support=settings.portal_support_email, product=PRODUCT)
    base = _Base(
        settings=settings,
        redis=redis,
        database=Database(settings, role),
        queue=DurableQueue(settings, role),
        live=live,
        cache=cache,
        readings=Readings(settings, cache, live),
        vendors=build_vendors(settings, redis),
    )
    notifications = Notifications(base.database, base.queue, SmtpMailer(settings), letters)
    return _customer_side(base, notifications)


@dataclass(frozen=True, slots=True)
class _Base:
    """What every service stands on."""

    settings: Settings
    redis: Redis
    database: Database
    queue: DurableQueue
    live: LiveUpdates
    cache: Cache
    readings: Readings
    vendors: Vendors


def _customer_side(base: _Base, notifications: Notifications) -> Portal:
    settings, database, live, queue = base.settings, base.database, base.live, base.queue
    vendors, gateway, crm = base.vendors, base.vendors.billing, base.vendors.crm
    onboarding = Onboarding(database, gateway, crm, directory=vendors.directory, notifications=notifications, live=live)
    vault, limits = _vault(settings), RateLimits(settings.redis_url, timeout=settings.redis_timeout)
    sessions = Sessions(settings, database, base.redis, live, notifications)
    identity = IdentityBase(settings, database, vault, limits, sessions, notifications, queue, base.readings)
    bills = _bills(base)
    served = _being_served(base, identity, bills)
    oneself = _about_oneself(base, identity)
    selling = _selling(base, identity, bills, oneself)
    return Portal(
        settings=settings,
        database=database,
        redis=base.redis,
        cache=base.cache,
        queue=queue,
        live=live,
        limits=limits,
        answers=KeptAnswers(base.cache, sessions=sessions, limits=limits, limit=settings.portal_api_limit),
        stream=vendors.stream,
        sessions=sessions,
        **_ways_in(identity, base.vendors),
        **oneself,
        **bills,
        **selling,
        **served,
        overview=_overview(base, bills),
        onboarding=onboarding,
        moving_in=_moving_in(onboarding, vendors),
        **_fulfilment(base, notifications, bills, oneself["identity_checks"]),
        notifications=notifications,
        inbound=Inbound(database, queue, catalog=selling["catalog"]),
        upkeep=Upkeep(database),
        reconcile=Reconcile(database, crm),
        vault=vault,
        vendors=base.vendors,
    )


def _overview(base: _Base, bills: dict[str, Any]) -> Overview:
    seen = {name: bills[name] for name in ("billing", "payments", "subscriptions")}
    cases = OpenCases(base.vendors.crm, base.cache, base.live)
    return Overview(base.settings, base.database, **seen, cases=cases, cache=base.cache)


def _being_served(base: _Base, identity: IdentityBase, bills: dict[str, Any]) -> dict[str, Any]:
    """Join what ends services, and what tells customers of their days."""
    known = {name: bills[name] for name in ("billing", "subscriptions")}
    vendors = base.vendors
    lines = LineEndings(base.database, vendors.sims, vendors.crm)
    cancelling = join_cancelling(identity, vendors.billing, vendors.cancellations, lines=lines, live=base.live, **known)
    return {
        "cancelling": cancelling,
        "calendar": Calendar(identity, cancellations=cancelling.requests, **known),
        "reminders": Reminders(identity, bills["payments"], base.live),
        "notification_choices": NotificationChoices(base.database),
    }


def _bills(base: _Base) -> dict[str, Any]:
    """Join what shows bills and services and keeps their mirrors."""
    gateway, parts = base.vendors.billing, (base.settings, base.database, base.cache, base.vendors.billing)
    sign_on = SignOn(base.settings, base.database, gateway)
    billing = Billing(*parts, live=base.live, sign_on=sign_on)
    payments = Payments(*parts, live=base.live, sign_on=sign_on)
    subscriptions = Subscriptions(*parts, live=base.live)
    shown: dict[str, Any] = {"billing": billing, "payments": payments, "subscriptions": subscriptions}
    return {
        **shown,
        "mirror_upkeep": MirrorUpkeep(base.settings, base.database, **shown, live=base.live),
        "billing_changes": BillingChanges(base.database, gateway, **shown, live=base.live),
    }


def _ways_in(identity: IdentityBase, vendors: Vendors) -> dict[str, Any]:
    """Join what signs people in and keeps them safe afterwards."""
    two_step, passkeys = TwoStep(identity), Passkeys(identity)
    admission = Admission(identity, two_step)
    return {
        "accounts": Accounts(identity.database),
        "entry": join_entry(
            identity, admission, billing=vendors.billing, logins=vendors.logins, directory=vendors.directory
        ),
        "second_step": SecondStep(identity, admission, two_step, passkeys),
        "step_up": StepUp(identity, two_step, passkeys),
        "two_step": two_step,
        "passkeys": passkeys,
        "devices": Devices(identity.database, identity.sessions),
    }


def _about_oneself(base: _Base, identity: IdentityBase) -> dict[str, Any]:
    """Join what shows and changes a customer's own data."""
    people, profiles = base.vendors.people, Profiles(identity, base.vendors.people, base.live)
    return {
        "flashes": Flashes(base.redis),
        "postcodes": Postcodes(),
        "profiles": profiles,
        "profile_changes": ProfileChanges(
            base.database,
            people,
            base.vendors.crm,
            ring=identity.vault.ring,
            notifications=identity.notifications,
            live=base.live,
        ),
        "email_changes": EmailChanges(identity, profiles),
        "identity_documents": IdentityDocuments(identity, base.vendors.identity_desk, base.live),
        "identity_checks": IdentityChecks(identity, base.vendors.identity_desk, base.live),
    }


def _selling(base: _Base, identity: IdentityBase, bills: dict[str, Any], oneself: dict[str, Any]) -> dict[str, Any]:
    """Join what leads from a plan to an order."""
    catalog = Catalog(base.settings, base.cache, base.vendors.catalog, base.vendors.billing)
    internet = join_internet(identity, base.vendors.internet, profiles=oneself["profiles"], live=base.live)
    known = Known(
        payments=bills["payments"],
        subscriptions=bills["subscriptions"],
        profiles=oneself["profiles"],
        checks=internet.checks,
        identity=oneself["identity_documents"],
    )
    checkout = Checkout(base.settings, catalog, known)
    drafts = Drafts(base.database, checkout)
    once = Idempotency(base.settings, base.database, identity.vault.tokens)
    told, queue = identity.notifications, base.queue
    orders = Orders(base.database, checkout, drafts, idempotency=once, notifications=told, queue=queue, live=base.live)
    selling = {"catalog": catalog, "checkout": checkout, "drafts": drafts, "orders": orders}
    return {**selling, "idempotency": once, "internet": internet}


def _moving_in(onboarding: Onboarding, vendors: Vendors) -> MovingIn:
    return MovingIn(
        onboarding,
        billing=vendors.billing,
        people=vendors.people,
        logins=vendors.logins,
        directory=vendors.directory,
    )


def _fulfilment(
    base: _Base, notifications: Notifications, bills: dict[str, Any], checks: IdentityChecks
) -> dict[str, Any]:
    """Join what carries orders out and what watches over them."""
    vendors = base.vendors
    progress = OrderProgress(base.database, notifications, base.live)
    known = {name: bills[name] for name in ("billing", "subscriptions")}
    provisioning = join_provisioning(
        base.settings, progress, vendors, ring=ring_of(base.settings), checks=checks, **known
    )
    return {
        "provisioning": provisioning,
        "line_states": LineStates(base.settings, base.database, vendors.sims, cache=base.cache, live=base.live),
        "invariants": Invariants(base.database, vendors.billing, provisioning.stuck),
        "order_desk": OrderDesk(progress, base.queue, vendors),
        "notices": Notices(base.database, base.live),
    }


def _vault(settings: Settings) -> Vault:
    ring = ring_of(settings)
    use_key_ring(ring)
    secret = settings.jwt_refresh_secret.get_secret_value()
    return Vault(
        Passwords(rounds=settings.bcrypt_rounds, pepper=settings.portal_pepper.get_secret_value()),
        RandomTokens(secret),
        ring,
    )
