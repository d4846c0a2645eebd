"""Setting a fibre line up: one per customer, and tied to the opportunity it grew from."""

from uuid import UUID

from portal_app.domain.errors import OrderStopped
from portal_app.domain.identifiers import step_reference
from portal_app.domain.ports.fulfilment import FulfillingVendors
from portal_app.domain.ports.listing import unreadable_in
from portal_app.infra.settings import Settings
from portal_app.services.orders.timeline import OrderTimeline
from portal_app.services.subscriptions.subscriptions import Subscriptions


class InternetLine:
    """What a fibre order needs besides billing, each step safe to repeat."""

    def __init__(
        self, settings: Settings, progress: OrderTimeline, vendors: FulfillingVendors, *, services: Subscriptions
    ) -> None:
        self._field = settings.whmcs_opportunity_field
        self._progress = progress
        self._services = services
        self._internet, self._subscriptions = vendors.internet, vendors.subscriptions

    async def check_alone(self, order_id: UUID) -> None:
        """Make sure, at WHMCS itself, that the customer has no other fibre line. Raises OrderStopped."""
        order, customer = await self._progress.order(order_id)
        # Earlier attempts count as this order's: WHMCS ends what was undone only with its next daily run.
        own = {step_reference(order.id, "whmcs", attempt + 1) for attempt in range(order.attempt)}
        services = await self._services.read_classified(customer)
        others = [one for one in services if one.is_live_line("internet") and one.reference not in own]
        if unread := unreadable_in(services):
            # One of them may be a fibre line.
            raise OrderStopped(f"WHMCS: service {min(unread)} of the client cannot be read.", code="SERVICE_UNREADABLE")
        if others:
            raise OrderStopped(f"The client has internet already: service {others[0].id}.", code="SECOND_INTERNET")

    async def link(self, order_id: UUID, service_id: int) -> None:
        """Write the service into the account's opportunity, and the opportunity into the service."""
        order, customer = await self._progress.order(order_id)
        opportunity = await self._internet.link_line(customer.sf_account_id, service_id=service_id, title=order.title)
        await self._subscriptions.set_service_fields(customer.whmcs_client_id, service_id, {self._field: opportunity})
