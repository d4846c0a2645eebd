"""What moving an existing customer here needs of the outside world. Errors as in `ports`."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from portal_app.domain.ports.clients import BillingClient
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.profile.profile import BillingAddress


@dataclass(frozen=True, slots=True)
class BillingLogin:
    """Somebody who can sign in at WHMCS: address as WHMCS has it, and the clients they own or merely may act for."""

    user_id: int
    email: str
    has_second_factor: bool
    owned: tuple[int, ...]
    others: tuple[int, ...]


class BillingLogins(Protocol):
    """WHMCS's users: people, not clients."""

    async def find(self, email: str) -> BillingLogin | None:
        """Return who signs in with exactly this address, or None. The second factor is not known here."""
        ...

    async def verify_password(self, email: str, password: str) -> BillingLogin | None:
        """Return who signs in with this address and password, or None; one answer for unknown and wrong."""
        ...

    async def set_customer_number(self, client_id: int, number: str) -> None:
        """Write the customer number into a client. Safe to repeat."""
        ...


@dataclass(frozen=True, slots=True)
class CrmPerson:
    """Somebody Salesforce knows by an e-mail address. `is_billed`: the account names a WHMCS client."""

    account_id: str
    customer_number: str
    is_billed: bool


@dataclass(frozen=True, slots=True)
class MigratingCustomer:
    """Somebody who brings a WHMCS client along: their user here, and the client with its address as it is billed."""

    user_id: UUID
    email: str
    customer_number: str
    client: BillingClient
    address: BillingAddress


class ExistingAccounts(Protocol):
    """Salesforce's accounts and contacts that were there before the portal."""

    async def find_person(self, email: str) -> CrmPerson | None:
        """Return whose account has exactly one contact with this address and a customer number, or None."""
        ...

    async def claim_contact(self, customer_number: str, email: str, user_id: UUID) -> None:
        """Let the contact with this address in an account become our user's, if it is nobody's yet. Safe to repeat."""
        ...

    async def adopt(self, mover: MigratingCustomer) -> CrmCustomer:
        """Make the account of a customer number the portal's, or create it; tie one contact to our user.

        Safe to repeat. Raises Conflict where the account belongs to another WHMCS client or another portal user.
        """
        ...
