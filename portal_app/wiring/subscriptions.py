"""Builds the services for subscriptions, cancellations and SIM lines."""

from dataclasses import dataclass

from portal_app.services.catalog.catalog import Catalog
from portal_app.services.identity.context import ServiceContext
from portal_app.services.sim.line_changes import LineChanges
from portal_app.services.sim.line_links import LineLinks
from portal_app.services.sim.line_overview import LineOverviews
from portal_app.services.sim.line_reconcile import LineReconcile
from portal_app.services.sim.line_status import LineStatus
from portal_app.services.sim.line_termination import LineTermination
from portal_app.services.sim.usage_import import UsageImports
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
    """SIM lines: what pages show, and what the worker does about them."""

    line_status: LineStatus
    overviews: LineOverviews
    line_termination: LineTermination
    links: LineLinks
    changes: LineChanges
    reconcile: LineReconcile
    usage_imports: UsageImports


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


def build_sim(base: Base, catalog: Catalog) -> SimServices:
    """Build the services over Freebit."""
    settings, database, vendors = base.settings, base.database, base.vendors
    status = LineStatus(settings, database, vendors.sims, reads=base.reads)
    return SimServices(
        line_status=status,
        overviews=LineOverviews(database, base.queue, status=status, catalog=catalog),
        line_termination=LineTermination(database, vendors.sims, vendors.crm),
        links=LineLinks(settings, database, vendors, catalog=catalog, live=base.live),
        changes=LineChanges(settings, database, vendors.sims, live=base.live),
        reconcile=LineReconcile(settings, database, vendors, catalog=catalog),
        usage_imports=UsageImports(settings, database),
    )
