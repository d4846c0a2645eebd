"""Builds the services for address checks, catalogue, checkout, orders and provisioning."""

from dataclasses import dataclass

from portal_app.infra.security.secrets import key_ring_of
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.checkout.checkout import Checkout, CheckoutContext
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.identity.context import ServiceContext
from portal_app.services.internet.eligibility import EligibilityChecks
from portal_app.services.internet.eligibility_answers import EligibilityAnswers
from portal_app.services.orders.orders import Orders
from portal_app.services.orders.timeline import OrderTimeline
from portal_app.services.profile.kyc_review import KycReview
from portal_app.services.provisioning.billing import OrderBilling
from portal_app.services.provisioning.internet_line import InternetLine
from portal_app.services.provisioning.review import OrderReview
from portal_app.services.provisioning.sim_activation import SimActivation
from portal_app.services.provisioning.stuck_orders import StuckOrders
from portal_app.services.sim.reservations import SimReservations
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices
from portal_app.wiring.profile import ProfileServices
from portal_app.wiring.subscriptions import SubscriptionServices


@dataclass(frozen=True, slots=True)
class InternetServices:
    """Address checks: `checks` is used by pages and API, `answers` by the worker."""

    checks: EligibilityChecks
    answers: EligibilityAnswers


@dataclass(frozen=True, slots=True)
class OrderServices:
    """Catalogue, checkout, drafts and placed orders."""

    catalog: Catalog
    checkout: Checkout
    drafts: Drafts
    orders: Orders


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Services of the order workflow: every public method is one step and is safe to repeat."""

    progress: OrderTimeline
    review: OrderReview
    billing: OrderBilling
    sims: SimActivation
    reservations: SimReservations
    internet: InternetLine
    stuck: StuckOrders


def build_internet(base: Base, context: ServiceContext, profile: ProfileServices) -> InternetServices:
    """Build the services over Salesforce, where agents check addresses."""
    gateway, live = base.vendors.internet, base.live
    return InternetServices(
        EligibilityChecks(context, gateway, profile.profiles, live),
        EligibilityAnswers(base.database, gateway, email_outbox=base.email_outbox, live=live),
    )


def build_catalog(base: Base) -> Catalog:
    """Build the catalogue over Salesforce's products and WHMCS's prices."""
    return Catalog(base.cache, base.vendors.catalog, base.vendors.product_prices, reads=base.reads)


def checkout_context(
    context: ServiceContext,
    billing: BillingServices,
    subscriptions: SubscriptionServices,
    profile: ProfileServices,
    internet: InternetServices,
) -> CheckoutContext:
    """Return what checkout needs of other capabilities."""
    return CheckoutContext(
        payments=billing.payment_methods,
        subscriptions=subscriptions.services,
        profiles=profile.profiles,
        checks=internet.checks,
        identity=profile.kyc_documents,
        limits=context.customer_limits,
    )


def build_orders(base: Base, catalog: Catalog, context: CheckoutContext) -> OrderServices:
    """Build the services over the catalogue and the customer's data."""
    checkout = Checkout(base.settings, catalog, context)
    drafts = Drafts(base.database, checkout)
    orders = Orders(
        base.database,
        checkout,
        drafts,
        email_outbox=base.email_outbox,
        queue=base.queue,
        live=base.live,
    )
    return OrderServices(catalog, checkout, drafts, orders)


def build_provisioning(
    base: Base, billing: BillingServices, subscriptions: SubscriptionServices, kyc_review: KycReview
) -> Provisioning:
    """Build the services of the order workflow over all vendors."""
    settings, vendors = base.settings, base.vendors
    progress = OrderTimeline(base.database, base.email_outbox, base.live)
    reservations = SimReservations(base.database, vendors.sim_inventory, key_ring_of(settings))
    return Provisioning(
        progress=progress,
        review=OrderReview(progress, vendors.crm),
        billing=OrderBilling(
            settings, progress, vendors, billing=billing.invoices, subscriptions=subscriptions.services
        ),
        sims=SimActivation(settings, progress, vendors, reservations=reservations, checks=kyc_review),
        reservations=reservations,
        internet=InternetLine(settings, progress, vendors, services=subscriptions.services),
        stuck=StuckOrders(progress, vendors.crm),
    )
