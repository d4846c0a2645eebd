"""Calls that change something carry an Idempotency-Key and happen once per key: what their routes depend on."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header
from starlette.requests import Request

from portal_app.api.incoming import Body, form_field, wants_json
from portal_app.api.problem import BadRequest
from portal_app.api.signed_in import SignedIn
from portal_app.wiring import Call, portal

FIELD = "idempotency_key"


@dataclass(frozen=True, slots=True)
class Once:
    """One call of somebody signed in. Its route reads what was said, then lets `once(entries, do)` carry it out."""

    user_id: UUID
    route: str
    target: str
    key: str
    status: int

    async def __call__(self, entries: Body | None, do: Callable[[], Awaitable[str | None]]) -> str:
        """Do it, or find that it was done: return the id `do` gave the first time. The answer is made anew from it."""
        self.require_key()

        async def carried_out(_: object) -> str:
            return await do() or ""

        said = json.dumps([self.target, entries.model_dump() if entries else None])
        call = Call(self.user_id, self.route, self.key, said)
        return await portal().idempotency.once(call, carried_out, status=self.status)

    def require_key(self) -> None:
        """Raise BadRequest where no key was sent."""
        if not self.key:
            raise BadRequest("no key", user_message="Send an Idempotency-Key header.", code="idempotency_key_missing")


async def once_per_key(
    request: Request,
    access: SignedIn,
    idempotency_key: Annotated[
        str | None, Header(description="8 to 200 characters, new for everything that is to happen once")
    ] = None,
) -> Once:
    """Return the call with its key: of the header, or of a native form's hidden field. Raises BadRequest."""
    route = request.scope["route"]
    query = f"?{request.url.query}" if request.url.query else ""
    once = Once(
        access.user_id,
        f"{request.method} {route.path}",
        request.url.path + query,
        idempotency_key or await form_field(request, FIELD),
        route.status_code or 200,
    )
    if wants_json(request):
        # A form is led back to its page instead, which says so.
        once.require_key()
    return once


OncePerKey = Annotated[Once, Depends(once_per_key)]
