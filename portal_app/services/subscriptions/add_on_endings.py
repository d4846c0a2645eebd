"""Ends what hangs on a cancelled line: WHMCS ends the line alone, and would go on billing its add-ons."""

from uuid import UUID, uuid5

from portal_app.domain.errors import ExternalRejected, NotFound
from portal_app.domain.ports.billing import SubscriptionGateway
from portal_app.domain.ports.crm import CrmGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.domain.subscriptions.subscription import Subscription, hanging_on
from portal_app.infra.database.database import Database
from portal_app.models.cancellation import CancellationRow
from portal_app.services.billing.invoices import Billing
from portal_app.services.subscriptions.subscriptions import Subscriptions


class AddOnEndings:
    """Ask WHMCS to end add-ons and instalments with their line; runs in the worker once the line's end was sent."""

    def __init__(
        self,
        database: Database,
        gateway: SubscriptionGateway,
        crm: CrmGateway,
        *,
        billing: Billing,
        subscriptions: Subscriptions,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._crm = crm
        self._billing = billing
        self._subscriptions = subscriptions

    async def order(self, cancellation_id: UUID) -> list[str]:
        """Ask for the end of what hangs on a cancelled line; return what people must look at. Safe to repeat.

        Those are what WHMCS refused to end, and what may hang on this line or on another. Raises ExternalUnavailable,
        OutcomeUnknown.
        """
        request, customer = await self._read(cancellation_id)
        hanging = hanging_on(request.service_id, await self._subscriptions.read_classified(customer))
        left = [f"{_named(each)}: its line is not known" for each in hanging.doubtful]
        if not hanging.own:
            return left
        asked = await self._gateway.cancellations()
        for each in hanging.own:
            if each.id not in asked and not await self._is_taken(customer, each, request):
                left.append(f"{_named(each)}: WHMCS refused to end it")
        await self._subscriptions.mark_stale(customer)
        await self._billing.mark_stale(customer)
        return left

    async def ask_people(self, cancellation_id: UUID, left: list[str]) -> None:
        """Open a case for what has to be ended by hand. Safe to repeat."""
        request, customer = await self._read(cancellation_id)
        await self._crm.open_case(
            customer,
            reference=uuid5(cancellation_id, "add-ons"),
            subject=f"End by hand what hangs on a cancelled line: {request.service_name}",
            description=f"Service {request.service_id} at WHMCS is cancelled, last day {request.ends_on.isoformat()} "
            "(Japan). Without an end of their own, these are billed on:\n" + "\n".join(left),
        )

    async def _is_taken(self, customer: Customer, each: Subscription, request: CancellationRequest) -> bool:
        reason = f"Ends with service {request.service_id} (portal request {request.id})"
        try:
            await self._gateway.request_cancellation(
                customer.whmcs_client_id, each.id, reason=reason, at_period_end=True
            )
        except NotFound:
            # Gone meanwhile: nobody is billed for it.
            return True
        except ExternalRejected:
            return False
        return True

    async def _read(self, cancellation_id: UUID) -> tuple[CancellationRequest, Customer]:
        async with self._database.unit_of_work() as session:
            return await CancellationRow.with_customer(session, cancellation_id)


def _named(service: Subscription) -> str:
    return f"{service.id} {service.name} ({service.kind})"
