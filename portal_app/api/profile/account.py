"""The signed-in account: read and change it. A workflow changes WHMCS first, then Salesforce."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import SignedIn, SignedInCustomer
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, read, takes
from portal_app.api.http.responses import json
from portal_app.api.profile import schemas
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.profile import ProfileChange
from portal_app.infra.security.tokens import Access
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/me", tags=["account"])


class ChangedData(Body):
    """What is to change; what is left out stays. A new phone number needs a fresh proof (POST /api/me/step-up)."""

    first_name: str | None = Field(None, max_length=1000)
    last_name: str | None = Field(None, max_length=1000)
    first_name_kana: str | None = Field(None, max_length=1000)
    last_name_kana: str | None = Field(None, max_length=1000)
    phone: str | None = Field(None, max_length=1000)
    language: str | None = Field(None, max_length=10)
    marketing: bool | None = None


class NewAddress(Body):
    """A complete address in Japanese script and in Latin letters. Needs a fresh proof (POST /api/me/step-up)."""

    postcode: str = Field(max_length=1000)
    prefecture: str = Field(max_length=1000)
    city: str = Field(max_length=1000)
    town: str = Field(max_length=1000)
    street: str = Field(max_length=1000)
    building: str = Field("", max_length=1000)
    city_romanised: str = Field(max_length=1000)
    town_romanised: str = Field(max_length=1000)
    building_romanised: str = Field("", max_length=1000)
    street_romanised: str = Field("", max_length=1000)


class NewEmail(Body):
    """The new address; a code is mailed there. Needs a fresh proof (POST /api/me/step-up)."""

    email: str = Field(max_length=300)


class EmailCode(Body):
    """The six digits that were mailed to the new address."""

    code: str = Field(max_length=50)


@router.get("", response_model=schemas.Me)
async def me(access: SignedIn) -> Response:
    """Return the signed-in account with the customer's data, saved ones while billing does not answer."""
    return await _shown(access)


@router.patch("", status_code=202, response_model=schemas.Me, openapi_extra=takes(ChangedData, form=False))
async def change(
    request: Request, access: SignedIn, customer: SignedInCustomer, once: IdempotentCallDependency
) -> Response:
    """Change personal data, at billing first; `profile.is_on_its_way` is true until the change is complete."""
    entries = await read(request, ChangedData, form=False)
    given = entries.model_dump(exclude_none=True)
    marketing: Any = given.pop("marketing", None)
    wanted = ProfileChange.parse(given).merged_with(ProfileChange(marketing=marketing))
    await once(entries, lambda: portal().profile.profiles.change(customer, wanted, session_id=access.session_id))
    return await _shown(access, 202)


@router.patch("/address", status_code=202, response_model=schemas.Me, openapi_extra=takes(NewAddress, form=False))
async def change_address(
    request: Request, access: SignedIn, customer: SignedInCustomer, once: IdempotentCallDependency
) -> Response:
    """Change the address, romanised at billing first; the internet plans that it can have are checked again."""
    entries = await read(request, NewAddress, form=False)
    wanted = ProfileChange(address=Address.parse(entries.model_dump()))
    await once(entries, lambda: portal().profile.profiles.change(customer, wanted, session_id=access.session_id))
    return await _shown(access, 202)


@router.post("/email", status_code=202, response_model=schemas.PendingEmail, openapi_extra=takes(NewEmail, form=False))
async def begin_email_change(
    request: Request, access: SignedIn, customer: SignedInCustomer, once: IdempotentCallDependency
) -> Response:
    """Mail a code to a new address; the answer is the same whether or not it has an account."""
    entries, changes = await read(request, NewEmail, form=False), portal().profile.email_changes
    await once(entries, lambda: changes.begin(customer, entries.email, session_id=access.session_id))
    return json(schemas.PendingEmail(await changes.pending_email(customer)), 202)


@router.post("/email/verify", status_code=202, response_model=schemas.Me, openapi_extra=takes(EmailCode, form=False))
async def prove_email(
    request: Request, access: SignedIn, customer: SignedInCustomer, once: IdempotentCallDependency
) -> Response:
    """Check the mailed code; the address then changes like other data, and the old address is notified."""
    entries = await read(request, EmailCode, form=False)
    await once(entries, lambda: portal().profile.email_changes.verify_mailbox(customer, entries.code))
    return await _shown(access, 202)


async def _shown(access: Access, status: int = 200) -> Response:
    account = await portal().identity.accounts.view(access.user_id)
    view = await portal().profile.profiles.profile_for(account.customer) if account.customer else None
    return json(schemas.me(account, view), status)
