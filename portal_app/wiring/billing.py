"""Builds the services for invoices, payment methods and reminders."""

from dataclasses import dataclass

from portal_app.services.billing.invoices import Billing
from portal_app.services.billing.payment_methods import Payments
from portal_app.services.billing.reminders import Reminders
from portal_app.services.billing.whmcs_sso import LimitedLinks, WhmcsSso
from portal_app.services.identity.context import ServiceContext
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class BillingServices:
    """Invoices, payment methods and reminders."""

    invoices: Billing
    payment_methods: Payments
    reminders: Reminders


def build_billing(base: Base, context: ServiceContext) -> BillingServices:
    """Build the services over WHMCS and the cache."""
    settings, database, cache, vendors = base.settings, base.database, base.cache, base.vendors
    live, sso = base.live, WhmcsSso(settings, database, LimitedLinks(vendors.sso, context.customer_limits))
    payments = Payments(settings, database, cache, vendors.payment_methods, live=live, sso=sso)
    return BillingServices(
        invoices=Billing(settings, database, cache, vendors.invoices, live=live, sso=sso),
        payment_methods=payments,
        reminders=Reminders(context, payments, live),
    )
