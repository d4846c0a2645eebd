"""Builds what shows bills and services, and what keeps their mirrors."""

from dataclasses import dataclass

from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.billing.whmcs_sso import WhmcsSso
from portal_app.services.inbound.billing_changes import BillingChanges
from portal_app.services.operations.mirror_refresh import MirrorRefresh
from portal_app.services.subscriptions.subscriptions import Subscriptions
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class BillingServices:
    """Bills, payments and services, read from WHMCS; all three are kept in step by the same events."""

    billing: Billing
    payments: Payments
    subscriptions: Subscriptions
    mirror_upkeep: MirrorRefresh
    billing_changes: BillingChanges


def build_billing(base: Base) -> BillingServices:
    """Join them over WHMCS and the cache."""
    settings, database, cache, gateway = base.settings, base.database, base.cache, base.vendors.billing
    live, sign_on = base.live, WhmcsSso(settings, database, gateway)
    billing = Billing(settings, database, cache, gateway, live=live, sign_on=sign_on)
    payments = Payments(settings, database, cache, gateway, live=live, sign_on=sign_on)
    subscriptions = Subscriptions(settings, database, cache, gateway, live=live)
    return BillingServices(
        billing=billing,
        payments=payments,
        subscriptions=subscriptions,
        mirror_upkeep=MirrorRefresh(
            settings, database, billing=billing, payments=payments, subscriptions=subscriptions, live=live
        ),
        billing_changes=BillingChanges(
            database, gateway, billing=billing, payments=payments, subscriptions=subscriptions, live=live
        ),
    )
