"""Every page of the portal, imported so that it registers itself."""

from portal_app.pages import (
    account,
    account_address,
    cancellation,
    catalog,
    checkout,
    checkout_steps,
    dashboard,
    details,
    history,
    internet,
    internet_steps,
    invoices,
    landing,
    move,
    not_found,
    notices,
    notifications,
    orders,
    password,
    payment_methods,
    plans,
    second_step,
    security,
    sign_in,
    sign_up,
    subscriptions,
    terms,
    way_back,
)

__all__ = [
    "account", "account_address", "cancellation", "catalog", "checkout", "checkout_steps", "dashboard", "details",
    "history", "internet", "internet_steps", "invoices", "landing", "move", "not_found", "notices", "notifications",
    "orders", "password", "payment_methods", "plans", "second_step", "security", "sign_in", "sign_up",
    "subscriptions", "terms", "way_back",
]  # fmt: skip
