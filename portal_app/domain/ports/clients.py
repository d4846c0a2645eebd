"""WHMCS's clients, as services see them: their record, their personal data, and links that sign them in there."""

from dataclasses import dataclass
from typing import Protocol

from portal_app.domain.money import Money
from portal_app.domain.profile.customer import Profile
from portal_app.domain.profile.profile import PersonalData, ProfileChange


@dataclass(frozen=True, slots=True)
class BillingClient:
    """A WHMCS client as far as the portal cares; `credit` is what is left of it."""

    id: int
    email: str
    first_name: str
    last_name: str
    phone: str
    status: str
    customer_number: str
    credit: Money


class ClientGateway(Protocol):
    """Clients of WHMCS."""

    async def find_client(self, email: str) -> BillingClient | None:
        """Return the client with exactly this e-mail address, or None."""

    async def client(self, client_id: int) -> BillingClient:
        """Return one client. Raises NotFound."""

    async def add_client(self, profile: Profile, *, customer_number: str, password: str) -> int:
        """Create a client with our customer number and return its id. Look `find_client` up before a second call."""

    async def set_client_status(self, client_id: int, status: str) -> None:
        """Set Active or Inactive."""


class PeopleGateway(Protocol):
    """WHMCS's clients as people: the authority for who a customer is and where they live."""

    async def person(self, client_id: int) -> PersonalData:
        """Return a client's data. Raises NotFound."""

    async def change(self, client_id: int, change: ProfileChange) -> None:
        """Change a client. Safe to repeat."""


class SsoGateway(Protocol):
    """Single sign-on at WHMCS."""

    async def sign_on_link(self, client_id: int, path: str) -> str:
        """Return a single-use link (60 s) that signs the client in at WHMCS and opens a relative path there."""
