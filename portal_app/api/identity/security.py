"""Account security: two-step sign-in, passkeys, devices, history. Changes need a recent proof (step-up)."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import LARGEST_ID, OurId, SignedIn
from portal_app.api.http.idempotency import IdempotentCall, IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, Number, read, takes
from portal_app.api.http.responses import json, refused
from portal_app.api.identity import schemas
from portal_app.api.identity.step_up import LARGEST_CREDENTIAL, SECURITY
from portal_app.domain.errors import PortalError
from portal_app.domain.identifiers import our_id
from portal_app.infra.security.tokens import Access
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api/me", tags=["security"])


class Code(Body):
    """Six digits of the app."""

    code: str = Field(max_length=50)


class NewPasskey(Body):
    """The browser's new credential as JSON text, and its name."""

    passkey: str = Field(max_length=LARGEST_CREDENTIAL)
    name: str = Field(max_length=200)


class Name(Body):
    """Another name."""

    name: str = Field(max_length=200)


@router.get("/two-step", response_model=schemas.TwoStepView)
async def two_step(access: SignedIn) -> Response:
    """Say whether two-step sign-in is on, since when, and how many recovery codes are left."""
    view = await portal().identity.totp.status(access.user_id)
    return json(schemas.TwoStepView(view.since is not None, view.since, view.codes_left))


@router.post("/two-step", response_model=schemas.EnrolmentView)
async def begin_two_step(access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Return a new key for an authenticator app; nothing is on before its first code."""
    two_step = portal().identity.totp
    await once(None, lambda: two_step.begin_enrolment(*_who(access)))
    enrolment = await two_step.pending_enrolment(*_who(access))
    return json(schemas.EnrolmentView.from_domain(enrolment))


@router.post("/two-step/confirm", response_model=schemas.RecoveryCodes, openapi_extra=takes(Code, form=False))
async def confirm_two_step(request: Request, access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Turn two-step sign-in on with the app's first code; the recovery codes are shown this once."""
    entries = await read(request, Code, form=False)
    return await _codes(once, entries, lambda: portal().identity.totp.turn_on(*_who(access), entries.code))


@router.post("/two-step/recovery-codes", response_model=schemas.RecoveryCodes)
async def renew_codes(access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Make new recovery codes, shown this once; the old ones end."""
    return await _codes(once, None, lambda: portal().identity.totp.renew_codes(*_who(access)))


@router.delete("/two-step", response_model=schemas.TwoStepOff)
async def turn_off_two_step(access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Turn two-step sign-in off."""
    await once(None, lambda: portal().identity.totp.turn_off(*_who(access)))
    return json(schemas.TwoStepOff(False))


@router.get("/passkeys", response_model=schemas.PasskeyList)
async def passkeys(access: SignedIn) -> Response:
    """Return the account's passkeys."""
    found = await portal().identity.passkeys.passkeys_of(access.user_id)
    return json(schemas.PasskeyList(schemas.PasskeyShape.list_of(found)))


@router.post("/passkeys/options", response_model=schemas.PasskeyOptions)
async def passkey_options(access: SignedIn) -> Response:
    """Return what the browser needs to make a passkey."""
    return json(await portal().identity.passkeys.registration_options(access.user_id, access.session_id))


@router.post(
    "/passkeys", status_code=201, response_model=schemas.PasskeyShape, openapi_extra=takes(NewPasskey, form=False)
)
async def add_passkey(request: Request, access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Store a new passkey."""
    try:
        entries = await read(request, NewPasskey, form=False)
        made = await once(entries, lambda: _added(access, entries))
    except PortalError as error:
        return await refused(request, error, SECURITY)
    added = await portal().identity.passkeys.passkey_of(access.user_id, UUID(made))
    return json(schemas.PasskeyShape.from_domain(added), 201)


@router.patch("/passkeys/{passkey_id:an_id}", response_model=schemas.Nothing, openapi_extra=takes(Name, form=False))
async def rename_passkey(
    request: Request, access: SignedIn, passkey_id: OurId, once: IdempotentCallDependency
) -> Response:
    """Give a passkey another name."""
    entries, number = await read(request, Name, form=False), our_id(passkey_id)
    await once(entries, lambda: portal().identity.passkeys.rename(*_who(access), number, entries.name))
    return json(schemas.Nothing())


@router.delete("/passkeys/{passkey_id:an_id}", response_model=schemas.Nothing)
async def remove_passkey(access: SignedIn, passkey_id: OurId, once: IdempotentCallDependency) -> Response:
    """Remove a passkey; other devices are signed out."""
    number = our_id(passkey_id)
    await once(None, lambda: portal().identity.passkeys.remove(*_who(access), number))
    return json(schemas.Nothing())


@router.get("/sessions", response_model=schemas.SessionList)
async def sessions(access: SignedIn) -> Response:
    """Return the devices that are signed in, this one first."""
    found = await portal().identity.devices.devices_of(access.user_id, access.session_id)
    return json(schemas.SessionList(schemas.SessionView.list_of(found)))


@router.delete("/sessions/{session_id:an_id}", response_model=schemas.Nothing)
async def end_session(access: SignedIn, session_id: OurId, once: IdempotentCallDependency) -> Response:
    """Sign one device out."""
    number = our_id(session_id)
    await once(None, lambda: portal().identity.devices.sign_out(access.user_id, number))
    return json(schemas.Nothing())


@router.delete("/sessions", response_model=schemas.Nothing)
async def end_other_sessions(access: SignedIn, once: IdempotentCallDependency) -> Response:
    """Sign every other device out."""
    await once(None, lambda: portal().identity.devices.sign_out_others(*_who(access)))
    return json(schemas.Nothing())


@router.get("/history", response_model=schemas.History)
async def history(access: SignedIn, before: Annotated[Number | None, Query(ge=1, le=LARGEST_ID)] = None) -> Response:
    """Return what happened to the account, newest first; `before` goes on where the last page ended."""
    entries, onward = await portal().identity.devices.history_of(access.user_id, before=before)
    return json(schemas.History(schemas.EventView.list_of(entries), onward))


async def _codes(once: IdempotentCall, entries: Body | None, make: Callable[[], Awaitable[list[str]]]) -> Response:
    """Return new recovery codes. They are not stored, so a repeated call gets null."""
    codes: list[str] = []

    async def do() -> None:
        codes.extend(await make())

    await once(entries, do)
    return json(schemas.RecoveryCodes(codes or None))


async def _added(access: Access, entries: NewPasskey) -> str:
    return str((await portal().identity.passkeys.add(*_who(access), entries.passkey, entries.name)).id)


def _who(access: Access) -> tuple[UUID, UUID]:
    return access.user_id, access.session_id
