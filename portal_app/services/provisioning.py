"""Provisioning: an order carried from the customer's word to a working, billed service. Its parts, by what they do."""

from dataclasses import dataclass

from portal_app.services.internet_opening import InternetOpening
from portal_app.services.order_billing import OrderBilling
from portal_app.services.order_progress import OrderProgress
from portal_app.services.order_review import OrderReview
from portal_app.services.sim_opening import SimOpening
from portal_app.services.sim_reservations import SimReservations
from portal_app.services.stuck_orders import StuckOrders


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
