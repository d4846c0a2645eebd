"""Salesforce's accounts, contacts and orders, as services see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from portal_app.domain.orders.order import NewSalesforceOrder, OrderLine, SalesforceOrder
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.profile.customer import Customer, Profile
from portal_app.domain.profile.profile import ProfileChange


@dataclass(frozen=True, slots=True)
class CrmCustomer:
    """A Salesforce account with its contact. `contact_id` is empty where the contact is missing."""

    account_id: str
    contact_id: str


class CrmGateway(Protocol):
    """Salesforce: accounts, contacts, orders."""

    async def find_customer(self, customer_number: str) -> CrmCustomer | None:
        """Look an account up by customer number, with its portal contact or, where it has none, another one."""

    async def upsert_customer(
        self, profile: Profile, *, user_id: UUID, customer_number: str, whmcs_client_id: int
    ) -> CrmCustomer:
        """Create or update the account (by customer number) and contact (by user id). Safe to repeat."""

    async def open_cases(self, sf_account_id: str) -> int:
        """Count the cases of an account that are not closed, without those the portal opened for agents' own work."""

    async def change_customer(self, customer: Customer, change: ProfileChange) -> None:
        """Change account and contact; a new address resets the internet eligibility. Safe to repeat."""

    async def upsert_order(self, order: NewSalesforceOrder) -> str:
        """Create the order with its lines as Pending Review, all or none, by our order id; return its id.

        Safe to repeat: an order that exists with its lines is left alone.
        """

    async def order(self, sf_order_id: str) -> SalesforceOrder:
        """Return one order. Raises NotFound."""

    async def orders(self, sf_order_ids: Sequence[str]) -> list[SalesforceOrder]:
        """Return those of at most 200 orders that exist, in one call."""

    async def orders_changed_since(self, since: datetime) -> list[SalesforceOrder]:
        """Return every order that changed since a moment, through the rate limiter of long calls."""

    async def order_billed(self, sf_order_id: str, *, billing: BillingOrder) -> None:
        """Write the WHMCS ids back to the order and its lines; the status stays."""

    async def order_activated(self, sf_order_id: str) -> None:
        """Set Processed and Activated: the last step of provisioning."""

    async def order_lines(self, sf_order_id: str) -> tuple[OrderLine, ...]:
        """Return the lines of an order, in the order in which they were made."""

    async def claim_order(self, sf_order_id: str, order_id: UUID) -> None:
        """Write our order id to an order that agents made. Safe to repeat."""

    async def order_resumed(self, sf_order_id: str) -> None:
        """Set activation Activating again, and clear the reason why it stopped."""

    async def order_reopened(self, sf_order_id: str) -> None:
        """Set activation Not Started and clear the WHMCS ids and the error: an agent must approve again."""

    async def open_case(self, customer: Customer, *, reference: UUID, subject: str, description: str) -> None:
        """Open a case of a customer's under a reference of ours; one that is there stays. Safe to repeat."""

    async def order_failed(self, sf_order_id: str, *, code: str, message: str) -> None:
        """Set activation Failed with a code (80) and a message (255)."""
