"""Every page of the portal, imported so that it registers itself."""

from portal_app.pages.billing import invoices, payment_methods
from portal_app.pages.calls import calls
from portal_app.pages.catalog import catalog
from portal_app.pages.checkout import review, steps
from portal_app.pages.dashboard import dashboard
from portal_app.pages.help import articles, contact
from portal_app.pages.identity import account_recovery, history, mfa_challenge, password, security, sign_in
from portal_app.pages.internet import plans as internet_plans
from portal_app.pages.internet import steps as internet_steps
from portal_app.pages.notifications import notices, preferences
from portal_app.pages.orders import orders
from portal_app.pages.profile import account, address, kyc
from portal_app.pages.public import landing, not_found, plans, terms
from portal_app.pages.registration import details, sign_up, whmcs_migration
from portal_app.pages.status import status
from portal_app.pages.subscriptions import cancellation, subscriptions
from portal_app.pages.support import case, cases, new_case

__all__ = [
    "account", "account_recovery", "address", "articles", "calls", "cancellation", "case", "cases", "catalog",
    "contact",
    "dashboard", "details",
    "history", "internet_plans", "internet_steps", "invoices", "kyc", "landing", "mfa_challenge", "new_case",
    "not_found", "notices", "orders", "password", "payment_methods", "plans", "preferences", "review", "security",
    "sign_in", "sign_up", "status", "steps", "subscriptions", "terms", "whmcs_migration",
]  # fmt: skip
