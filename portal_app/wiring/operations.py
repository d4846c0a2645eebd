"""Builds the services for inbound events, mirror refresh, invariant checks and order repair."""

from dataclasses import dataclass

from portal_app.services.catalog.catalog import Catalog
from portal_app.services.inbound.billing_changes import BillingChanges
from portal_app.services.inbound.inbox import Inbound
from portal_app.services.inbound.reconcile import Reconcile
from portal_app.services.operations.cleanup import Cleanup
from portal_app.services.operations.invariants import Invariants
from portal_app.services.operations.mirror_refresh import MirrorRefresh
from portal_app.services.operations.order_repair import OrderRepair
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices
from portal_app.wiring.orders import Provisioning
from portal_app.wiring.subscriptions import SubscriptionServices


@dataclass(frozen=True, slots=True)
class InboundServices:
    """Services that store vendors' events and apply them."""

    inbox: Inbound
    billing_changes: BillingChanges
    reconcile: Reconcile


@dataclass(frozen=True, slots=True)
class OperationServices:
    """Services for the schedule and for operators."""

    mirror_refresh: MirrorRefresh
    cleanup: Cleanup
    invariants: Invariants
    order_repair: OrderRepair


def build_inbound(
    base: Base, billing: BillingServices, subscriptions: SubscriptionServices, catalog: Catalog
) -> InboundServices:
    """Build the services over the inbox and the mirrors."""
    return InboundServices(
        inbox=Inbound(base.database, base.queue, catalog=catalog),
        billing_changes=BillingChanges(
            base.database,
            base.vendors,
            billing=billing.invoices,
            payments=billing.payment_methods,
            subscriptions=subscriptions.services,
            live=base.live,
        ),
        reconcile=Reconcile(base.database, base.vendors.crm),
    )


def build_operations(
    base: Base, billing: BillingServices, subscriptions: SubscriptionServices, provisioning: Provisioning
) -> OperationServices:
    """Build the services over the mirrors and provisioning."""
    return OperationServices(
        mirror_refresh=MirrorRefresh(
            base.settings,
            base.database,
            billing=billing.invoices,
            payments=billing.payment_methods,
            subscriptions=subscriptions.services,
            live=base.live,
        ),
        cleanup=Cleanup(base.settings, base.database, base.queue),
        invariants=Invariants(base.database, base.vendors.subscriptions, base.vendors.whmcs_orders, provisioning.stuck),
        order_repair=OrderRepair(provisioning.progress, base.queue, base.vendors),
    )
