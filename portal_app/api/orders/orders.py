"""A customer's orders: placed once per key, listed, followed."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import OrderProof, OurId, SignedInCustomer
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, read, takes
from portal_app.api.http.responses import CREATED, json
from portal_app.api.orders import schemas
from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.identifiers import our_id
from portal_app.infra.tasks.current_order import set_current_order
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/orders", tags=["orders"])


Entry = Annotated[str, StringConstraints(max_length=200)]


class NewOrder(Body):
    """The plan to order, with the answers to its steps. Its price is the catalogue's, never the caller's.

    Steps and their fields: "sim" (sim_type physical|esim, eid, start now|date, activate_on) and, for voice plans,
    "number" (origin new|port, number, reservation_number, expires_on, last_name, first_name, last_name_kana,
    first_name_kana, gender F|M, birth_date, voice_mail on, call_waiting on). Days are ISO dates in Japan.
    Internet plans: "address" (confirmed on, address_id as GET /api/me/eligibility names the address), "connection"
    (access_mode ipoe_home_gateway|ipoe_own_router|pppoe, installation single|12m|24m, weekend on) and "phone"
    (home_phone on, line new|switch, switch_number).
    """

    sku: str = Field(min_length=1, max_length=100)
    terms_accepted: bool = Field(
        description="That the customer accepts the terms of service at /terms", json_schema_extra={"const": True}
    )
    answers: dict[Literal["sim", "number", "address", "connection", "phone"], dict[Entry, Entry]] = Field(
        default_factory=dict
    )


@router.get("", response_model=schemas.OrderList)
async def orders(customer: SignedInCustomer) -> Response:
    """Return the customer's orders, newest first."""
    return json(schemas.OrderList(schemas.OrderView.list_of(await portal().orders.orders_for(customer))))


@router.get("/{order_id}", response_model=schemas.OrderWithEvents)
async def order(customer: SignedInCustomer, order_id: OurId) -> Response:
    """Return one order with its timeline."""
    found = await portal().orders.order_for(customer, our_id(order_id))
    return json(schemas.OrderWithEvents.from_domain(found.order, events=schemas.OrderEventView.list_of(found.events)))


@router.post(
    "",
    status_code=201,
    response_model=schemas.OrderView,
    responses=CREATED,
    openapi_extra=takes(NewOrder, form=False),
)
async def place(
    request: Request, _: OrderProof, customer: SignedInCustomer, once: IdempotentCallDependency
) -> Response:
    """Place an order, once per Idempotency-Key: the same key again answers with the same order.

    Needs a proof of the last hours (POST /api/me/step-up); signing in is one.
    """
    entries = await read(request, NewOrder, form=False)
    wish = OrderRequest(entries.sku, {**entries.answers}, entries.terms_accepted)
    account = await portal().identity.accounts.view(customer.user_id)
    found = await once.in_one_transaction_with(
        wish.fingerprint,
        lambda claim: portal().orders.place(customer, wish, claim=claim, recipient=account.email),
        lambda order_id: portal().orders.order_for(customer, UUID(order_id)),
    )
    placed = found.order
    set_current_order(str(placed.id))
    return json(schemas.OrderView.from_domain(placed), 201, {"Location": f"/api/orders/{placed.id}"})
