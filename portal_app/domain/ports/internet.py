"""What services need from the outside world about fibre; errors as in `ports`."""

from collections.abc import Sequence
from typing import Protocol

from portal_app.domain.internet.eligibility import AddressCheck, CheckRequest
from portal_app.domain.profile.customer import Customer


class EligibilityGateway(Protocol):
    """Salesforce's side of internet: address checks by agents, and the opportunity that a line grows from."""

    async def check_of(self, sf_account_id: str) -> AddressCheck:
        """Return where the check of an account stands. Raises NotFound."""

    async def checks_of(self, sf_account_ids: Sequence[str]) -> list[AddressCheck]:
        """Return those of at most 200 accounts that exist, in one call."""

    async def request(self, customer: Customer, request: CheckRequest) -> None:
        """Ask an agent: opportunity, case and the account's state together, all or none.

        Safe to repeat, also after OutcomeUnknown: a case with the request's id is left alone with all that came of it.
        """

    async def link_line(self, sf_account_id: str, *, service_id: int, title: str) -> str:
        """Tie the account's opportunity, or a new one, to a WHMCS service; return its id. Safe to repeat."""

    async def opportunity_of(self, sf_account_id: str, service_id: int) -> str | None:
        """Return the opportunity that a WHMCS service is tied to, unless it is void."""

    async def void(self, opportunity_id: str) -> None:
        """Close an opportunity whose line was taken back. Safe to repeat."""
