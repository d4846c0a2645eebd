"""Every page of the portal, imported so that it registers itself."""

from portal_app.pages import (
    account,
    account_address,
    catalog,
    checkout,
    checkout_steps,
    dashboard,
    details,
    history,
    invoices,
    landing,
    move,
    not_found,
    notices,
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
    verification,
    way_back,
)

__all__ = [
    "account", "account_address", "catalog", "checkout", "checkout_steps", "dashboard", "details", "history",
    "invoices", "landing", "move", "not_found", "notices", "orders", "password", "payment_methods", "plans",
    "second_step", "security", "sign_in", "sign_up", "subscriptions", "terms", "verification", "way_back",
]  # fmt: skip
