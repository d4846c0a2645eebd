"""Builds the services for the dashboard summary and the calendar feed."""

from dataclasses import dataclass

from portal_app.services.dashboard.calendar_feed import Calendar
from portal_app.services.dashboard.summary import DashboardSummary
from portal_app.services.identity.context import ServiceContext
from portal_app.services.support.open_case_count import OpenCaseCount
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices
from portal_app.wiring.subscriptions import SubscriptionServices


@dataclass(frozen=True, slots=True)
class DashboardServices:
    """Services that read several capabilities."""

    summary: DashboardSummary
    calendar_feed: Calendar


def build_dashboard(
    base: Base, context: ServiceContext, billing: BillingServices, subscriptions: SubscriptionServices
) -> DashboardServices:
    """Build the services over invoices, payment methods, services and cases."""
    invoices, services = billing.invoices, subscriptions.services
    return DashboardServices(
        summary=DashboardSummary(
            base.settings,
            base.database,
            billing=invoices,
            payments=billing.payment_methods,
            subscriptions=services,
            cases=OpenCaseCount(base.vendors.crm, base.reads),
            cache=base.cache,
        ),
        calendar_feed=Calendar(
            context, cancellations=subscriptions.cancellations, billing=invoices, subscriptions=services
        ),
    )
