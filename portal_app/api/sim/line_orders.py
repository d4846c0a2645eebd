"""Changes of a SIM line: voice options, 4G or 5G, plan."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import OrderProof, OurId, SignedIn, SignedInCustomer, VendorId, vendor_id
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.money import Amount, amount
from portal_app.api.http.request_parsing import Body, read, takes
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import CREATED, json
from portal_app.domain.errors import InvalidInput, NotFound
from portal_app.domain.identifiers import our_id
from portal_app.domain.profile.customer import Customer
from portal_app.domain.sim_changes.line_order import LineOrder
from portal_app.domain.sim_changes.plan_change import PlanChoice
from portal_app.domain.sim_changes.voice_option import VoiceOffer, parse_network, parse_option
from portal_app.domain.subscriptions.subscription import Subscription
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])
_WARNING = "Confirm that calls, messages and data abroad are charged by what you use."


class OptionSwitch(Body):
    """A voice option, on or off, and the monthly price with tax that was shown for it (0 for off).

    `when_free`: while another change locks the line, do it as soon as the line is free. `understood`: roaming alone,
    that what is used abroad is charged apart.
    """

    option: str = Field(max_length=40)
    on: bool
    total: int
    when_free: bool = False
    understood: bool = False


class NetworkChange(Body):
    """4G or 5G; `when_free` as for voice options."""

    network: str = Field(max_length=4)
    when_free: bool = False


class PlanChange(Body):
    """The plan by its SKU, and its monthly price with tax that was shown."""

    sku: str = Field(max_length=80)
    total: int


@dataclass
class OptionView(Resource):
    """A voice option with its monthly price; `on` is null where the carrier does not tell."""

    option: str
    on: bool | None
    price: Amount
    price_with_tax: Amount
    warns: bool


@dataclass
class OptionList(Resource):
    """The voice options of a line."""

    items: list[OptionView]


@dataclass
class PlanView(Resource):
    """A plan with its monthly price and its data in MB, null where unknown."""

    sku: str
    name: str
    price: Amount
    price_with_tax: Amount
    data_mb: int | None


@dataclass
class PlanList(Resource):
    """The present plan as it is billed, and those it may be changed to.

    A change asked for now begins on `starts_on` (a day in Japan) and can be withdrawn before `sends_at`.
    """

    present: PlanView
    items: list[PlanView]
    starts_on: date
    sends_at: datetime


@dataclass
class LineOrderView(Resource):
    """One change: voice, network or plan.

    `standing`: queued (waits for a free line), held (waits for the cut-off), under_way, booked (the carrier has it for
    the day), billing, done, failed, stopped, withdrawn or with_team. `reason` says why it came to nothing. Before
    `sends_at` it can be withdrawn.
    """

    id: UUID
    kind: str
    option: str
    target: str
    title: str
    price: Amount
    standing: str
    reason: str
    asked_at: datetime
    sends_at: datetime | None
    effective_on: date | None
    ended_at: datetime | None


@dataclass
class LineOrderList(Resource):
    """Changes of a line, newest first."""

    items: list[LineOrderView]


@router.get("/{service_id}/sim/options", response_model=OptionList)
async def options(customer: SignedInCustomer, service_id: VendorId) -> Response:
    """Return the voice options of a line with their prices. 404 for data lines, which have none."""
    service = await _service(customer, service_id)
    offers = await portal().line_orders.orders.offers.voice(service.product_id)
    line = await portal().sim.line_status.saved_line(customer, service.id)
    if line is None:
        raise NotFound("no linked line")
    return json(OptionList([_option(each, line.snapshot.voice.get(each.option)) for each in offers.values()]))


@router.post(
    "/{service_id}/sim/options",
    status_code=201,
    response_model=LineOrderView,
    responses=CREATED,
    openapi_extra=takes(OptionSwitch, form=False),
)
async def switch(
    request: Request,
    _proof: OrderProof,
    customer: SignedInCustomer,
    service_id: VendorId,
    once: IdempotentCallDependency,
) -> Response:
    """Switch a voice option. It is billed once the line shows it, until the month in which it is switched off.

    Needs a proof of identity as an order does (POST /api/me/step-up).

    404 for data lines; 409 where the price is another by now, the line is not active, or a change is under way.
    """
    entries = await read(request, OptionSwitch, form=False)
    option, own = parse_option(entries.option), portal().line_orders.orders
    if option == "roaming" and entries.on and not entries.understood:
        raise InvalidInput({"understood": _WARNING})
    service = await _service(customer, service_id)
    taken = await once.in_one_transaction(
        f"{service.id}:{entries.model_dump_json()}",
        lambda claim: own.switch_voice(
            customer,
            service,
            option,
            is_on=entries.on,
            agreed=entries.total,
            when_free=entries.when_free,
            claim=claim,
        ),
    )
    return await _taken(customer, service, taken)


@router.post(
    "/{service_id}/sim/network",
    status_code=201,
    response_model=LineOrderView,
    responses=CREATED,
    openapi_extra=takes(NetworkChange, form=False),
)
async def change_network(
    request: Request, customer: SignedInCustomer, service_id: VendorId, once: IdempotentCallDependency
) -> Response:
    """Change a line between 4G and 5G, which locks it for half an hour. 409 as for voice options."""
    entries = await read(request, NetworkChange, form=False)
    network, own = parse_network(entries.network), portal().line_orders.orders
    service = await _service(customer, service_id)
    taken = await once.in_one_transaction(
        f"{service.id}:{entries.model_dump_json()}",
        lambda claim: own.change_network(customer, service, network, when_free=entries.when_free, claim=claim),
    )
    return await _taken(customer, service, taken)


@router.get("/{service_id}/sim/plans", response_model=PlanList)
async def plans(customer: SignedInCustomer, service_id: VendorId) -> Response:
    """Return the plans that a line may be changed to: same kind, same family. 404 without a line or such plans."""
    service, own = await _service(customer, service_id), portal().line_orders.orders
    present, others = await own.offers.plans(service.product_id)
    if present is None or await portal().sim.line_status.saved_line(customer, service.id) is None:
        raise NotFound("no plan of a line")
    schedule = own.plan_schedule()
    billed = amount(service.recurring), amount(own.with_tax(service.recurring))
    shown = PlanView(present.sku, present.name, *billed, present.data_mb)
    return json(PlanList(shown, [_plan(each) for each in others], schedule.effective_on, schedule.sends_at))


@router.post(
    "/{service_id}/sim/plan",
    status_code=201,
    response_model=LineOrderView,
    responses=CREATED,
    openapi_extra=takes(PlanChange, form=False),
)
async def change_plan(
    request: Request,
    access: OrderProof,
    customer: SignedInCustomer,
    service_id: VendorId,
    once: IdempotentCallDependency,
) -> Response:
    """Change the plan from the next 1st on; it is held and can be withdrawn until the cut-off. 409 as for options.

    Needs a proof of identity as an order does.
    """
    entries, own = await read(request, PlanChange, form=False), portal().line_orders.orders
    service, recipient = await _service(customer, service_id), await _mail_of(access.user_id)
    taken = await once.in_one_transaction(
        f"{service.id}:{entries.model_dump_json()}",
        lambda claim: own.change_plan(
            customer, service, entries.sku, agreed=entries.total, recipient=recipient, claim=claim
        ),
    )
    return await _taken(customer, service, taken)


@router.get("/{service_id}/sim/changes", response_model=LineOrderList)
async def changes(customer: SignedInCustomer, service_id: VendorId) -> Response:
    """Return what was asked of a line, newest first."""
    service = await _service(customer, service_id)
    found = await portal().line_orders.orders.of_service(customer, service.id)
    return json(LineOrderList([_view(each) for each in found]))


@router.delete("/{service_id}/sim/changes/{order_id}", response_model=LineOrderView)
async def withdraw(
    access: SignedIn,
    customer: SignedInCustomer,
    service_id: VendorId,
    order_id: OurId,
    once: IdempotentCallDependency,
) -> Response:
    """Take a change back that is queued or held. 409 once it was sent to the carrier."""
    number, wanted, own = vendor_id(service_id), our_id(order_id), portal().line_orders.orders
    recipient = await _mail_of(access.user_id)
    taken = await once.in_one_transaction(
        f"{number}:{wanted}",
        lambda claim: own.withdraw(customer, number, wanted, recipient=recipient, claim=claim),
    )
    return json(_view(await own.one(customer, UUID(taken))))


async def _service(customer: Customer, service_id: str) -> Subscription:
    found, _ = await portal().subscriptions.services.subscription_for(customer, vendor_id(service_id))
    return found


async def _mail_of(user_id: UUID) -> str:
    return (await portal().identity.accounts.view(user_id)).email


async def _taken(customer: Customer, service: Subscription, order_id: str) -> Response:
    shown = _view(await portal().line_orders.orders.one(customer, UUID(order_id)))
    return json(shown, 201, {"Location": f"/api/subscriptions/{service.id}/sim/changes"})


def _option(offer: VoiceOffer, is_on: bool | None) -> OptionView:
    with_tax = offer.price.with_tax(Decimal(portal().settings.tax_percent))
    return OptionView(offer.option, is_on, amount(offer.price), amount(with_tax), offer.warns)


def _plan(plan: PlanChoice) -> PlanView:
    with_tax = portal().line_orders.orders.with_tax(plan.price)
    return PlanView(plan.sku, plan.name, amount(plan.price), amount(with_tax), plan.data_mb)


def _view(order: LineOrder) -> LineOrderView:
    return LineOrderView.from_domain(order)
