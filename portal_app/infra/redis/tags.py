"""Every cache tag of the portal. Invalidating a tag makes all entries that carry it stale, in every process.

- `all:<user>`: answers that show many things of a customer (summary, list of services). Invalidated by every
  `LiveUpdates.publish` for the customer and every `mark_stale` of a mirror.
- `invoices:<user>`: written pages of the invoice list. Invalidated when the mirror gets a changed invoice, and by
  `Billing.mark_stale`.
- `payment-methods:<user>`: stored cards and banks, and the summary. Invalidated by `Payments.invalidate_methods`, by
  changes that the customer makes here, and by WHMCS's hook.
- `transactions:<user>`, `credit:<user>`: the history of money. Invalidated by WHMCS's hooks and the mirror refresh.
- `payment-gateways`: the ways to pay. Nothing invalidates it: it expires.
- `catalog`: products, billed prices, written plans. Invalidated by Salesforce's events and by operators.

Mirrors are tables, no cache entries: `mark_stale` writes to `mirror_states.stale_at` that WHMCS has newer data.
"""

from uuid import UUID

CATALOG = "catalog"
PAYMENT_GATEWAYS = "payment-gateways"


def customer_tag(user_id: UUID) -> str:
    """Return the tag of answers that show many things of a customer."""
    return f"all:{user_id}"


def invoices_tag(user_id: UUID) -> str:
    """Return the tag of everything about a customer's invoices."""
    return f"invoices:{user_id}"


def methods_tag(user_id: UUID) -> str:
    """Return the tag of a customer's payment methods."""
    return f"payment-methods:{user_id}"


def transactions_tag(user_id: UUID) -> str:
    """Return the tag of a customer's payments and refunds."""
    return f"transactions:{user_id}"


def credit_tag(user_id: UUID) -> str:
    """Return the tag of a customer's credit."""
    return f"credit:{user_id}"
