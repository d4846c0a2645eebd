"""Builds the services for changes of SIM lines."""

from dataclasses import dataclass

from portal_app.services.catalog.catalog import Catalog
from portal_app.services.identity.context import ServiceContext
from portal_app.services.sim_changes.announcements import LineAnnouncements
from portal_app.services.sim_changes.carrier import LineOrderCarrier
from portal_app.services.sim_changes.line_orders import LineOrders
from portal_app.services.sim_changes.offers import LineOffers
from portal_app.services.sim_changes.option_billing import OptionBilling
from portal_app.services.sim_changes.plan_billing import PlanBilling
from portal_app.services.sim_changes.progress import LineOrderProgress
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices
from portal_app.wiring.subscriptions import SimServices, SubscriptionServices


@dataclass(frozen=True, slots=True)
class LineOrderServices:
    """Changes of lines: what customers do, and what the worker does about them."""

    orders: LineOrders
    progress: LineOrderProgress
    carrier: LineOrderCarrier
    option_billing: OptionBilling
    plan_billing: PlanBilling


def build_line_orders(
    base: Base,
    context: ServiceContext,
    catalog: Catalog,
    sim: SimServices,
    *,
    billed: tuple[BillingServices, SubscriptionServices],
) -> LineOrderServices:
    """Build the services over Freebit and WHMCS."""
    settings, vendors = base.settings, base.vendors
    billing, subscriptions = billed
    progress = LineOrderProgress(
        settings,
        base.database,
        LineAnnouncements(context.email_outbox),
        live=base.live,
        billing=billing.invoices,
        subscriptions=subscriptions.services,
    )
    return LineOrderServices(
        orders=LineOrders(context, status=sim.line_status, offers=LineOffers(settings, catalog), live=base.live),
        progress=progress,
        carrier=LineOrderCarrier(settings, progress, vendors.sims, changes=sim.changes),
        option_billing=OptionBilling(
            settings,
            progress,
            vendors.whmcs_orders,
            gateway=vendors.subscriptions,
            subscriptions=subscriptions.services,
            crm=vendors.crm,
        ),
        plan_billing=PlanBilling(
            settings, progress, vendors.subscriptions, invoices=vendors.invoices, charges=vendors.charges
        ),
    )
