"""Builds the services for subscriptions, cancellations and SIM lines."""

from dataclasses import dataclass

from portal_app.services.catalog.catalog import Catalog
from portal_app.services.identity.context import ServiceContext
from portal_app.services.sim.line_status import LineStatus
from portal_app.services.sim.line_termination import LineTermination
from portal_app.services.subscriptions.add_on_endings import AddOnEndings
from portal_app.services.subscriptions.cancellation_delivery import CancellationDelivery
from portal_app.services.subscriptions.cancellations import Cancellations
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices


@dataclass(frozen=True, slots=True)
class SubscriptionServices:
    """Subscriptions and cancellations; the worker uses `cancellation_delivery` and `add_on_endings`."""

    services: Subscriptions
    cancellations: Cancellations
    cancellation_delivery: CancellationDelivery
    add_on_endings: AddOnEndings


@dataclass(frozen=True, slots=True)
class SimServices:
    """Status and termination of SIM lines."""

    line_status: LineStatus
    line_termination: LineTermination


def build_subscriptions(
    base: Base, context: ServiceContext, billing: BillingServices, catalog: Catalog
) -> SubscriptionServices:
    """Build the services over WHMCS and Salesforce."""
    vendors, live = base.vendors, base.live
    services = Subscriptions(
        base.settings,
        base.database,
        base.cache,
        vendors.subscriptions,
        products=catalog.product_classes,
        live=live,
    )
    return SubscriptionServices(
        services=services,
        cancellations=Cancellations(context, services, live),
        cancellation_delivery=CancellationDelivery(
            context,
            vendors.subscriptions,
            vendors.cancellations,
            live=live,
            billing=billing.invoices,
            subscriptions=services,
        ),
        add_on_endings=AddOnEndings(
            base.database,
            vendors.subscriptions,
            vendors.crm,
            billing=billing.invoices,
            subscriptions=services,
        ),
    )


def build_sim(base: Base) -> SimServices:
    """Build the services over Freebit."""
    vendors = base.vendors
    return SimServices(
        line_status=LineStatus(base.database, vendors.sims, base.reads),
        line_termination=LineTermination(base.database, vendors.sims, vendors.crm),
    )
