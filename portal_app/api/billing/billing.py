"""Invoices, payment methods, and the links that lead to paying at WHMCS."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.billing import schemas
from portal_app.api.http.dependencies import RecentProof, SignedIn, SignedInCustomer, VendorId, proven, vendor_id
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, Number, read, wants_json
from portal_app.api.http.response_cache import cached_under
from portal_app.api.http.responses import as_of, body_of, form_route, json, refused, see_other, written_list
from portal_app.domain.billing.invoice_list import InvoiceFilter, InvoiceQuery, Invoices, InvoiceSort
from portal_app.domain.errors import PortalError
from portal_app.domain.local_path import local_path
from portal_app.domain.profile.customer import Customer
from portal_app.language import path_for
from portal_app.wiring.portal import portal

INVOICES, METHODS = "/billing/invoices", "/billing/payments"
router = APIRouter(prefix="/api", tags=["billing"])


class Back(Body):
    """The page of ours to come back to."""

    back: str = Field("", max_length=500)


@router.get("/invoices", response_model=schemas.InvoicePage)
async def invoices(
    request: Request,
    customer: SignedInCustomer,
    status: InvoiceFilter | None = None,
    q: Annotated[str, Query(max_length=100)] = "",
    sort: InvoiceSort = "issued",
    order: Literal["asc", "desc"] = "desc",
    page: Annotated[Number, Query(ge=1, le=10_000)] = 1,
    limit: Annotated[Number, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return one page of the customer's invoices; `q` looks in numbers and whole amounts."""
    query = InvoiceQuery(status, q, sort, descending=order == "desc", page=page, limit=limit)

    async def build(customer: Customer) -> Response:
        return written_list(
            await portal().billing.invoices.invoices_bytes(customer, query, lambda found: _page(query, found))
        )

    cached_under(request, lambda user_id: portal().billing.invoices.cache_entry(user_id, query), build)
    return await build(customer)


@router.get("/invoices/{invoice_id}", response_model=schemas.InvoiceView)
async def invoice(customer: SignedInCustomer, invoice_id: VendorId) -> Response:
    """Return one invoice with its lines and payments."""
    found = await portal().billing.invoices.invoice_for(customer, vendor_id(invoice_id))
    return json(schemas.InvoiceView.from_domain(found.invoice, as_of=found.as_of), headers=as_of(found.as_of))


@router.post("/invoices/{invoice_id}/sso-link", **form_route(schemas.SignOnLink))
async def invoice_link(
    request: Request,
    access: SignedIn,
    customer: SignedInCustomer,
    invoice_id: VendorId,
    target: Literal["pay", "pdf"] = "pay",
) -> Response:
    """Open an invoice at WHMCS, to pay it or as a PDF: a form is led there, a program gets the link.

    Needs a fresh proof (POST /api/me/step-up): the link opens the whole billing area.
    """
    number = vendor_id(invoice_id)
    billing = portal().billing.invoices
    try:
        await proven(access)
        make = billing.pdf_link if target == "pdf" else billing.pay_link
        return _onward(request, await make(customer, number))
    except PortalError as error:
        return await refused(request, error, f"{INVOICES}/{number}")


@router.get("/payment-methods", response_model=schemas.PaymentMethodList)
async def payment_methods(customer: SignedInCustomer) -> Response:
    """Return the customer's stored cards and bank accounts."""
    found = await portal().billing.payment_methods.payment_methods_for(customer)
    return json(schemas.PaymentMethodList(schemas.PaymentMethodView.list_of(found)))


@router.post("/payment-methods/{method_id:an_id}/default", status_code=204)
async def make_default(
    _: RecentProof, customer: SignedInCustomer, method_id: VendorId, once: IdempotentCallDependency
) -> Response:
    """Charge this one from now on. Needs a fresh proof (POST /api/me/step-up)."""
    number = vendor_id(method_id)
    await once(None, lambda: portal().billing.payment_methods.make_default(customer, number))
    return Response(status_code=204)


@router.delete("/payment-methods/{method_id:an_id}", status_code=204)
async def remove_method(
    _: RecentProof, customer: SignedInCustomer, method_id: VendorId, once: IdempotentCallDependency
) -> Response:
    """Delete a stored card or bank; 404 when it is gone already. Needs a fresh proof (POST /api/me/step-up)."""
    number = vendor_id(method_id)
    await once(None, lambda: portal().billing.payment_methods.remove(customer, number))
    return Response(status_code=204)


@router.get("/payment-gateways", response_model=schemas.GatewayList)
async def gateways(customer: SignedInCustomer) -> Response:
    """Return the ways to pay that are switched on."""
    found = await portal().billing.payment_methods.gateways()
    return json(schemas.GatewayList(schemas.GatewayView.list_of(found)))


@router.get("/transactions", response_model=schemas.TransactionList)
async def transactions(customer: SignedInCustomer) -> Response:
    """Return what was paid and given back, newest first."""
    found = await portal().billing.payment_methods.transactions_for(customer)
    return json(schemas.TransactionList(schemas.TransactionView.list_of(found)))


@router.get("/credit", response_model=schemas.CreditView)
async def credit(customer: SignedInCustomer) -> Response:
    """Return what is left of the customer's credit, and what changed it, newest first."""
    return json(schemas.CreditView.from_domain(await portal().billing.payment_methods.credit_for(customer)))


@router.post("/payment-methods/sso-link", **form_route(schemas.SignOnLink, Back))
async def payment_methods_link(request: Request, access: SignedIn, customer: SignedInCustomer) -> Response:
    """Open the payment methods at WHMCS, with a way back to a page of ours.

    Needs a fresh proof (POST /api/me/step-up): the link opens the whole billing area.
    """
    back = ""
    try:
        back = local_path((await read(request, Back)).back, "")
        await proven(access)
        address = portal().settings.portal_url + (back or path_for(METHODS))
        return _onward(request, await portal().billing.payment_methods.add_card_link(customer, back_to=address))
    except PortalError as error:
        return await refused(request, error, METHODS, next_path=back)


def _page(query: InvoiceQuery, found: Invoices) -> bytes:
    return body_of(schemas.InvoicePage.from_domain(found, page=query.page, limit=query.limit))


def _onward(request: Request, link: str) -> Response:
    return json(schemas.SignOnLink(link)) if wants_json(request) else see_other(link)
