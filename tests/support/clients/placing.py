"""Orders and cancellations as the pages and the API ask for them: once per key."""

from typing import Any
from uuid import UUID, uuid4

from portal_app.domain.checkout.request import Agreement, OrderRequest
from portal_app.domain.idempotency import PLACE_ORDER, SCHEDULE_CANCELLATION, WITHDRAW_CANCELLATION, Call
from portal_app.domain.orders.order import Order
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import (
    CancellationFeedback,
    CancellationRequest,
    CancellationRequester,
)


async def place_order(side: Any, customer: Customer, wish: OrderRequest, *, key: str, recipient: str) -> Order:
    """Place an order with a key. `side` is a portal, or has its `orders` and `idempotency`."""
    order_id = await side.idempotency.once_shared(
        Call(customer.user_id, PLACE_ORDER, key, wish.fingerprint),
        lambda claim: side.orders.place(customer, wish, claim=claim, recipient=recipient),
        status=201,
    )
    found: Order = (await side.orders.order_for(customer, UUID(order_id))).order
    return found


async def place_draft(
    side: Any, customer: Customer, draft_id: UUID, *, agreed: Agreement, key: str = "", recipient: str = "a@x.jp"
) -> Order:
    """Place the order of a draft, with its own key unless one is given."""
    order_id = await side.idempotency.once_shared(
        Call(customer.user_id, PLACE_ORDER, key or f"draft-{draft_id}", str(draft_id)),
        lambda claim: side.orders.place_draft(customer, draft_id, agreed=agreed, claim=claim, recipient=recipient),
        status=201,
    )
    found: Order = (await side.orders.order_for(customer, UUID(order_id))).order
    return found


async def cancel_service(
    side: Any, customer: Customer, service_id: int, wish: CancellationFeedback, *, asked: CancellationRequester
) -> CancellationRequest:
    """Schedule a cancellation with a new key."""
    cancellations = side.subscriptions.cancellations
    made = await side.idempotency.once_shared(
        Call(customer.user_id, SCHEDULE_CANCELLATION, uuid4().hex, wish.fingerprint(service_id)),
        lambda claim: cancellations.schedule(customer, service_id, wish, asked=asked, claim=claim),
        status=201,
    )
    found: CancellationRequest = await cancellations.request(customer, UUID(made))
    return found


async def keep_service(side: Any, customer: Customer, service_id: int, *, asked: CancellationRequester) -> None:
    """Withdraw a cancellation with a new key."""
    cancellations = side.subscriptions.cancellations
    await side.idempotency.once_shared(
        Call(customer.user_id, WITHDRAW_CANCELLATION, uuid4().hex, str(service_id)),
        lambda claim: cancellations.withdraw(customer, service_id, asked=asked, claim=claim),
    )
