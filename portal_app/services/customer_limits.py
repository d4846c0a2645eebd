"""What one customer may set off in a time: everything that sends a mail, asks a vendor or our team has a limit here."""

from typing import Literal
from uuid import UUID

from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.settings import Settings

# Changes by the customer, each counted apart.
ChangeKind = Literal[
    "address-check", "auto-top-up", "calendar-link", "cancellation", "line-alert", "line-change", "passkey", "password",
    "recovery-codes", "top-up",
]  # fmt: skip
_ORDERS = "You have placed many orders in a short time. Try again in {wait}, or write to us if you need more at once."
_SAME_ORDER = (
    "You have ordered the same several times in a short time. Look at your orders, or try again in {wait} if you need "
    "one more."
)
_LINKS = "You have opened many links to billing in a short time. Try again in {wait}."
_CHANGES = "You have changed this many times in a short time. Try again in {wait}."


class CustomerLimits:
    """Counts what customers set off. Every method raises RateLimited, in words for the page."""

    def __init__(self, settings: Settings, limits: RateLimits) -> None:
        self._settings = settings
        self._limits = limits

    async def count_order(self, user_id: UUID, content: str) -> None:
        """Count an order of this `content`: a client that repeats itself under new keys is stopped sooner."""
        user = str(user_id)
        await self._limits.consume(self._settings.portal_same_order_limit, "order", user, content, words=_SAME_ORDER)
        await self._limits.consume(self._settings.portal_order_limit, "order", user, words=_ORDERS)

    async def count_link(self, client_id: int) -> None:
        """Count a link to a page at WHMCS, by the customer's id there."""
        await self._limits.consume(self._settings.portal_link_limit, "billing-link", str(client_id), words=_LINKS)

    async def count_change(self, user_id: UUID, kind: ChangeKind) -> None:
        """Count a change."""
        await self._limits.consume(self._settings.portal_change_limit, f"change-{kind}", str(user_id), words=_CHANGES)

    async def may_mail(self, user_id: UUID, kind: str) -> bool:
        """Count a mail that only tells of something, and return whether it is to be sent."""
        return await self._limits.has_room(self._settings.portal_change_limit, f"mail-{kind}", str(user_id))
