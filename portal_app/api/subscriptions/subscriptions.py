"""The services a customer has, and their end."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.billing.schemas import InvoiceSummary
from portal_app.api.http.dependencies import SignedIn, SignedInCustomer, VendorId, vendor_id
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, read, takes
from portal_app.api.http.response_cache import cached_under
from portal_app.api.http.responses import CREATED, as_of, body_of, json, written_list
from portal_app.api.subscriptions import schemas
from portal_app.api.subscriptions.cancellation_schema import CancellationView, EndingView
from portal_app.domain.errors import NotFound
from portal_app.domain.profile.customer import Customer
from portal_app.domain.subscriptions.cancellation import CancellationFeedback, CancellationRequester
from portal_app.domain.subscriptions.subscription import Services
from portal_app.infra.security.tokens import Access
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])


class NewCancellation(Body):
    """Why the service is cancelled: moving, price, quality, provider, unused or other. Needs a fresh proof."""

    reason: str = Field(max_length=40)
    comment: str = Field("", max_length=2000)


@router.get("", response_model=schemas.SubscriptionList)
async def subscriptions(request: Request, customer: SignedInCustomer) -> Response:
    """Return the customer's services, newest line first, each with its add-ons after it."""
    cached_under(request, portal().subscriptions.services.cache_entry, _services)
    return await _services(customer)


@router.get("/{service_id}", response_model=schemas.SubscriptionDetail)
async def subscription(customer: SignedInCustomer, service_id: VendorId) -> Response:
    """Return one service with its invoices and its phone line, and when it would end or does."""
    service, saved_at = await portal().subscriptions.services.subscription_for(customer, vendor_id(service_id))
    cancelling = portal().subscriptions.cancellations
    request = (await cancelling.requests_for(customer)).get(service.id)
    ending = None if request and request.is_open else cancelling.schedule_for(service)
    invoices = await portal().billing.invoices.invoices_of_service(customer, service.id, with_reads=saved_at is None)
    line = await portal().sim.line_status.line_of(customer, service.id)
    shown = schemas.SubscriptionDetail.from_domain(
        service,
        cancellation=CancellationView.from_optional(request),
        if_cancelled=EndingView.from_optional(ending),
        as_of=saved_at,
        invoices=InvoiceSummary.list_of(invoices),
        line=schemas.PhoneLineView.from_optional(line),
    )
    return json(shown, headers=as_of(saved_at))


@router.get("/{service_id}/cancellation", response_model=CancellationView)
async def cancellation_of(customer: SignedInCustomer, service_id: VendorId) -> Response:
    """Return the newest cancellation of a service."""
    requests = await portal().subscriptions.cancellations.requests_for(customer)
    request = requests.get(vendor_id(service_id))
    if request is None:
        raise NotFound("no cancellation")
    return json(CancellationView.from_domain(request))


@router.post(
    "/{service_id}/cancellation",
    status_code=201,
    response_model=CancellationView,
    responses=CREATED,
    openapi_extra=takes(NewCancellation, form=False),
)
async def cancel(
    request: Request, access: SignedIn, customer: SignedInCustomer, service_id: VendorId, once: IdempotentCallDependency
) -> Response:
    """Cancel a service for the end of a month in Japan. Needs a fresh proof (POST /api/me/step-up).

    Asked for until the month's cut-off day it ends with this month, later with the next. It can be withdrawn
    until `withdraw_until`.
    """
    number = vendor_id(service_id)
    entries, asked = await read(request, NewCancellation, form=False), await _requester(access)
    wish, cancellations = (
        CancellationFeedback.parse(entries.reason, entries.comment),
        portal().subscriptions.cancellations,
    )
    taken = await once.in_one_transaction(
        wish.fingerprint(number),
        lambda claim: cancellations.schedule(customer, number, wish, asked=asked, claim=claim),
    )
    shown = CancellationView.from_domain(await cancellations.request(customer, UUID(taken)))
    return json(shown, 201, {"Location": f"/api/subscriptions/{number}/cancellation"})


@router.delete("/{service_id}/cancellation", response_model=CancellationView)
async def withdraw(
    access: SignedIn, customer: SignedInCustomer, service_id: VendorId, once: IdempotentCallDependency
) -> Response:
    """Take a scheduled cancellation back: the service stays. 409 once it was sent on."""
    number = vendor_id(service_id)
    asked, cancellations = await _requester(access), portal().subscriptions.cancellations
    withdrawn = await once.in_one_transaction(
        str(number), lambda claim: cancellations.withdraw(customer, number, asked=asked, claim=claim)
    )
    return json(CancellationView.from_domain(await cancellations.request(customer, UUID(withdrawn))))


async def _requester(access: Access) -> CancellationRequester:
    account = await portal().identity.accounts.view(access.user_id)
    return CancellationRequester(access.session_id, account.email)


async def _services(customer: Customer) -> Response:
    async def write(found: Services) -> bytes:
        requests = await portal().subscriptions.cancellations.requests_for(customer)
        return body_of(schemas.SubscriptionList(schemas.listed(found.rows, requests), found.as_of))

    return written_list(await portal().subscriptions.services.services_bytes(customer, write))
