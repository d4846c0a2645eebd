"""Calls that change something carry an Idempotency-Key and happen once per key: what their routes depend on."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header
from starlette.requests import Request

from portal_app.api.http.dependencies import SignedIn
from portal_app.api.http.problem import BadRequest
from portal_app.api.http.request_parsing import Body, form_field, wants_json
from portal_app.domain.idempotency import Call
from portal_app.infra.security.passwords import slow_hash
from portal_app.wiring.portal import portal

FIELD = "idempotency_key"
_PASSWORDS = ("password", "present")
_MISSING = "idempotency_key_missing"
_OUTDATED = "This page is out of date. Send the form once more."


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """One call of somebody signed in. Its route reads what was said, then lets `once(entries, do)` carry it out."""

    user_id: UUID
    route: str
    target: str
    key: str
    status: int

    async def __call__(self, entries: Body | None, do: Callable[[], Awaitable[str | None]]) -> str:
        """Do it, or find that it was done: return the id `do` gave the first time. The answer is made anew from it."""
        if not self.key:
            # Only a form comes this far: its page was opened before it had a key, or written by somebody else.
            raise BadRequest("no key", user_message=_OUTDATED, code=_MISSING)

        async def carried_out(_: object) -> str:
            return await do() or ""

        given = entries.model_dump() if entries else {}
        said = json.dumps([self.target, given])
        if any(given.get(name) for name in _PASSWORDS):
            said = await slow_hash(said, salt=f"{self.user_id} {self.route} {self.key}")
        call = Call(self.user_id, self.route, self.key, said)
        return await portal().idempotency.once(call, carried_out, status=self.status)


async def idempotent_call(
    request: Request,
    access: SignedIn,
    idempotency_key: Annotated[
        str | None, Header(description="8 to 200 characters, new for everything that is to happen once")
    ] = None,
) -> IdempotentCall:
    """Return the call with its key: of the header, or of a native form's hidden field. Raises BadRequest."""
    route = request.scope["route"]
    query = f"?{request.url.query}" if request.url.query else ""
    once = IdempotentCall(
        access.user_id,
        f"{request.method} {route.path}",
        request.url.path + query,
        idempotency_key or await form_field(request, FIELD),
        route.status_code or 200,
    )
    if not once.key and wants_json(request):
        raise BadRequest("no key", user_message="Send an Idempotency-Key header.", code=_MISSING)
    return once


IdempotentCallDependency = Annotated[IdempotentCall, Depends(idempotent_call)]
