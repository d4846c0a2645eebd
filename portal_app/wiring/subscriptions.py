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
from portal_app.services.sim.top_up_delivery import TopUpDelivery
from portal_app.services.sim.top_up_payment import TopUpPayment
from portal_app.services.sim.top_up_progress import TopUpProgress
from portal_app.services.sim.top_ups import TopUps
from portal_app.services.sim.usage_import import UsageImports
from portal_app.services.sim_alerts.alerts import LineAlerts
from portal_app.services.sim_alerts.auto_top_up import AutoTopUps
from portal_app.services.sim_alerts.line_facts import LineRecords
from portal_app.services.sim_alerts.line_watches import LineWatches
from portal_app.services.sim_alerts.top_up_outcomes import TopUpOutcomes
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
    alerts: LineAlerts
    auto_top_ups: AutoTopUps
    top_ups: TopUps
    top_up_progress: TopUpProgress
    top_up_payment: TopUpPayment
    top_up_delivery: TopUpDelivery


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


def build_sim(base: Base, context: ServiceContext, catalog: Catalog, *, billing: BillingServices) -> SimServices:
    """Build the services over Freebit, and over WHMCS where data are paid for."""
    settings, database, vendors = base.settings, base.database, base.vendors
    note = LineWatches(base.queue).note
    status = LineStatus(settings, database, vendors.sims, reads=base.reads, note=note)
    moved = TopUpOutcomes(context.email_outbox, note).moved
    progress = TopUpProgress(database, base.queue, live=base.live, billing=billing.invoices, moved=moved)
    records = LineRecords(catalog)
    return SimServices(
        line_status=status,
        overviews=LineOverviews(database, base.queue, status=status, catalog=catalog),
        line_termination=LineTermination(database, vendors.sims, vendors.crm),
        links=LineLinks(settings, database, vendors, catalog=catalog, live=base.live),
        changes=LineChanges(settings, database, vendors.sims, live=base.live),
        reconcile=LineReconcile(settings, database, vendors, catalog=catalog),
        usage_imports=UsageImports(settings, database, note),
        alerts=LineAlerts(context, records, base.live),
        auto_top_ups=AutoTopUps(context, records, base.live),
        top_ups=TopUps(context),
        top_up_progress=progress,
        top_up_payment=TopUpPayment(
            settings, progress, vendors.charges, methods=vendors.payment_methods, lines=vendors.sims
        ),
        top_up_delivery=TopUpDelivery(settings, progress, vendors.sims, vendors.crm),
    )
