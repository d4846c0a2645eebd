"""What moving an existing customer here needs of the outside world. Errors as in `ports`."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from portal_app.domain.ports.clients import BillingClient
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.profile.profile import BillingAddress


@dataclass(frozen=True, slots=True)
class BillingLogin:
    """A WHMCS user: the address as WHMCS has it, the clients the user owns and those it may only act for."""

    user_id: int
    email: str
    has_second_factor: bool
    owned: tuple[int, ...]
    others: tuple[int, ...]


class BillingLogins(Protocol):
    """WHMCS's users: people, not clients."""

    async def find(self, email: str) -> BillingLogin | None:
        """Return the user with exactly this address, or None. Says nothing about a second factor."""

    async def verify_password(self, email: str, password: str) -> BillingLogin | None:
        """Return the user with this address and password; None for an unknown address and for a wrong password."""

    async def set_customer_number(self, client_id: int, number: str) -> None:
        """Write the customer number into a client. Safe to repeat."""


@dataclass(frozen=True, slots=True)
class CrmPerson:
    """The Salesforce contact with an e-mail address. `is_billed`: the account names a WHMCS client."""

    account_id: str
    customer_number: str
    is_billed: bool


@dataclass(frozen=True, slots=True)
class MigratingCustomer:
    """A customer with an existing WHMCS client: the portal user, and the client with its billing address."""

    user_id: UUID
    email: str
    customer_number: str
    client: BillingClient
    address: BillingAddress


class ExistingAccounts(Protocol):
    """Salesforce's accounts and contacts that were there before the portal."""

    async def find_person(self, email: str) -> CrmPerson | None:
        """Return whose account has exactly one contact with this address and a customer number, or None."""

    async def claim_contact(self, customer_number: str, email: str, user_id: UUID) -> None:
        """Link the contact with this address to our user unless it is linked to a user. Safe to repeat."""

    async def adopt(self, customer: MigratingCustomer) -> CrmCustomer:
        """Make the account of a customer number the portal's, or create it; tie one contact to our user.

        Safe to repeat. Raises Conflict where the account belongs to another WHMCS client or another portal user.
        """
