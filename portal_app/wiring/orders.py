"""Builds what leads from a plan to an order, carries orders out, and watches over them."""

from dataclasses import dataclass

from portal_app.infra.security.secrets import ring_of
from portal_app.services.catalog.catalog import Catalog
from portal_app.services.checkout.checkout import Checkout, CheckoutContext
from portal_app.services.checkout.drafts import Drafts
from portal_app.services.idempotency import Idempotency
from portal_app.services.identity.context import ServiceContext
from portal_app.services.internet.eligibility import EligibilityChecks
from portal_app.services.internet.eligibility_answers import EligibilityAnswers
from portal_app.services.notifications.notices import Notices
from portal_app.services.operations.invariants import Invariants
from portal_app.services.operations.order_repair import OrderRepair
from portal_app.services.orders.orders import Orders
from portal_app.services.orders.timeline import OrderTimeline
from portal_app.services.profile.kyc_review import KycReview
from portal_app.services.provisioning.billing import OrderBilling
from portal_app.services.provisioning.internet_line import InternetLine
from portal_app.services.provisioning.review import OrderReview
from portal_app.services.provisioning.sim_activation import SimActivation
from portal_app.services.provisioning.stuck_orders import StuckOrders
from portal_app.services.sim.line_status import LineStatus
from portal_app.services.sim.reservations import SimReservations
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices
from portal_app.wiring.profile import ProfileServices


@dataclass(frozen=True, slots=True)
class Internet:
    """The customer's side of address checks, and the worker's."""

    checks: EligibilityChecks
    answers: EligibilityAnswers


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Every public method of a part is one step of a workflow and can be repeated."""

    progress: OrderTimeline
    review: OrderReview
    billing: OrderBilling
    sims: SimActivation
    reservations: SimReservations
    internet: InternetLine
    stuck: StuckOrders


@dataclass(frozen=True, slots=True)
class OrderServices:
    """Selling: from the catalogue to a placed order."""

    catalog: Catalog
    checkout: Checkout
    drafts: Drafts
    orders: Orders
    idempotency: Idempotency
    internet: Internet


@dataclass(frozen=True, slots=True)
class FulfilmentServices:
    """Carrying orders out, and watching over them."""

    provisioning: Provisioning
    line_states: LineStatus
    invariants: Invariants
    order_desk: OrderRepair
    notices: Notices


def build_orders(
    base: Base, identity: ServiceContext, bills: BillingServices, profile: ProfileServices
) -> OrderServices:
    """Join what leads from a plan to an order."""
    catalog = Catalog(base.settings, base.cache, base.vendors.catalog, base.vendors.billing)
    internet = Internet(
        EligibilityChecks(identity, base.vendors.internet, profile.profiles, base.live),
        EligibilityAnswers(base.database, base.vendors.internet, notifications=base.notifications, live=base.live),
    )
    known = CheckoutContext(
        payments=bills.payments,
        subscriptions=bills.subscriptions,
        profiles=profile.profiles,
        checks=internet.checks,
        identity=profile.identity_documents,
    )
    checkout = Checkout(base.settings, catalog, known)
    drafts = Drafts(base.database, checkout)
    once = Idempotency(base.settings, base.database, identity.vault.tokens)
    told, queue = base.notifications, base.queue
    orders = Orders(base.database, checkout, drafts, idempotency=once, notifications=told, queue=queue, live=base.live)
    return OrderServices(catalog, checkout, drafts, orders, once, internet)


def build_fulfilment(base: Base, bills: BillingServices, checks: KycReview) -> FulfilmentServices:
    """Join what carries orders out and what watches over them."""
    vendors = base.vendors
    progress = OrderTimeline(base.database, base.notifications, base.live)
    provisioning = _provisioning(base, progress, bills, checks)
    return FulfilmentServices(
        provisioning=provisioning,
        line_states=LineStatus(base.settings, base.database, vendors.sims, cache=base.cache, live=base.live),
        invariants=Invariants(base.database, vendors.billing, provisioning.stuck),
        order_desk=OrderRepair(progress, base.queue, vendors),
        notices=Notices(base.database, base.live),
    )


def _provisioning(base: Base, progress: OrderTimeline, bills: BillingServices, checks: KycReview) -> Provisioning:
    settings, vendors = base.settings, base.vendors
    reservations = SimReservations(base.database, vendors.sim_desk, ring_of(settings))
    return Provisioning(
        progress=progress,
        review=OrderReview(progress, vendors.crm),
        billing=OrderBilling(settings, progress, vendors, billing=bills.billing, subscriptions=bills.subscriptions),
        sims=SimActivation(settings, progress, vendors, reservations=reservations, checks=checks),
        reservations=reservations,
        internet=InternetLine(settings, progress, vendors),
        stuck=StuckOrders(progress, vendors.crm),
    )
