"""Builds the summary of an account."""

from portal_app.services.dashboard.summary import DashboardSummary
from portal_app.services.support.open_case_count import OpenCaseCount
from portal_app.wiring.base import Base
from portal_app.wiring.billing import BillingServices


def build_dashboard(base: Base, bills: BillingServices) -> DashboardSummary:
    """Join what the dashboard reads."""
    return DashboardSummary(
        base.settings,
        base.database,
        billing=bills.billing,
        payments=bills.payments,
        subscriptions=bills.subscriptions,
        cases=OpenCaseCount(base.vendors.crm, base.cache, base.live),
        cache=base.cache,
    )
