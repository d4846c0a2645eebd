"""Where agents see at Salesforce that a service ends."""

from typing import Protocol

from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest


class CancellationCaseGateway(Protocol):
    """Salesforce: where agents see that a service ends. Raises as every port does."""

    async def show(self, customer: Customer, request: CancellationRequest, *, opportunity_id: str) -> None:
        """Bring the service's opportunity and the request's case to where the request stands. Safe to repeat.

        `opportunity_id` is what WHMCS says of the service, or an empty text.
        """
