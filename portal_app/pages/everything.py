"""Every page of the portal, imported so that it registers itself."""

from portal_app.pages import (
    account,
    catalog,
    checkout,
    dashboard,
    details,
    invoices,
    landing,
    not_found,
    orders,
    payment_methods,
    plans,
    sign_in,
    sign_up,
    subscriptions,
)

__all__ = [
    "account", "catalog", "checkout", "dashboard", "details", "invoices", "landing", "not_found", "orders",
    "payment_methods", "plans", "sign_in", "sign_up", "subscriptions",
]  # fmt: skip
