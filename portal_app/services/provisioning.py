"""Provisioning: an order carried from the customer's word to a working, billed service. Its parts, by what they do."""

from dataclasses import dataclass

from portal_app.domain.order_ports import FulfillingVendors
from portal_app.infra.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.services.billing import Billing
from portal_app.services.identity_checks import IdentityChecks
from portal_app.services.internet_opening import InternetOpening
from portal_app.services.order_billing import OrderBilling
from portal_app.services.order_progress import OrderProgress
from portal_app.services.order_review import OrderReview
from portal_app.services.sim_opening import SimOpening
from portal_app.services.sim_reservations import SimReservations
from portal_app.services.stuck_orders import StuckOrders
from portal_app.services.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Every public method of a part is one step of a workflow and can be repeated."""

    progress: OrderProgress
    review: OrderReview
    billing: OrderBilling
    sims: SimOpening
    reservations: SimReservations
    internet: InternetOpening
    stuck: StuckOrders


def join_provisioning(
    settings: Settings,
    progress: OrderProgress,
    vendors: FulfillingVendors,
    *,
    ring: KeyRing,
    billing: Billing,
    subscriptions: Subscriptions,
    checks: IdentityChecks,
) -> Provisioning:
    """Join the parts over what keeps bills and services."""
    reservations = SimReservations(progress.database, vendors.sim_desk, ring)
    return Provisioning(
        progress=progress,
        review=OrderReview(progress, vendors.crm),
        billing=OrderBilling(settings, progress, vendors, billing=billing, subscriptions=subscriptions),
        sims=SimOpening(settings, progress, vendors, reservations=reservations, checks=checks),
        reservations=reservations,
        internet=InternetOpening(settings, progress, vendors),
        stuck=StuckOrders(progress, vendors.crm),
    )
