"""The dependency of routes that change data: a call carries an Idempotency-Key and is carried out once per key."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Header
from starlette.requests import Request

from portal_app.api.http.dependencies import SignedIn
from portal_app.api.http.problem import BadRequest
from portal_app.api.http.request_parsing import Body, form_field, wants_json
from portal_app.domain.idempotency import Call, Claim
from portal_app.wiring.portal import portal

FIELD, HEADER = "idempotency_key", "Idempotency-Key"
Value = TypeVar("Value")
_PASSWORDS = ("password", "present")
_MISSING = "idempotency_key_missing"
_OUTDATED = "This page is out of date. Send the form once more."


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """One call of a signed-in user. Its route reads the body, then has `once(entries, do)` carry it out.

    `operation` is the method and the route template, under which keys are stored.
    """

    user_id: UUID
    operation: str
    target: str
    key: str
    status: int

    async def __call__(self, entries: Body | None, do: Callable[[], Awaitable[str | None]]) -> str:
        """Carry it out, or return the id that `do` returned the first time. The response is built from it again."""

        async def carried_out(_: Claim) -> str:
            return await do() or ""

        given = entries.model_dump() if entries else {}
        fingerprint = json.dumps([self.target, given])
        if any(given.get(name) for name in _PASSWORDS):
            passwords = portal().identity.secrets.passwords
            fingerprint = await passwords.slow_hash(fingerprint, salt=f"{self.user_id} {self.operation} {self.key}")
        return await portal().idempotency.once(self._call(fingerprint), carried_out, status=self.status)

    async def in_one_transaction(self, fingerprint: str, do: Callable[[Claim], Awaitable[str]]) -> str:
        """Carry it out as above, by a service that finishes the claim in the transaction of its own rows."""
        return await portal().idempotency.once_shared(self._call(fingerprint), do, status=self.status)

    async def in_one_transaction_with(
        self,
        fingerprint: str,
        do: Callable[[Claim], Awaitable[str]],
        read: Callable[[str], Coroutine[Any, Any, Value]],
    ) -> Value:
        """Carry it out as above, and return what `read` returns for its id, read once for calls at the same time."""
        shared = portal().idempotency.once_shared_with
        return await shared(self._call(fingerprint), do, read, status=self.status)

    def _call(self, fingerprint: str) -> Call:
        if not self.key:
            # Only a form comes this far: its page was opened before it had a key, or is not one of ours.
            raise BadRequest("no key", user_message=_OUTDATED, code=_MISSING)
        return Call(self.user_id, self.operation, self.key, fingerprint)


async def idempotent_call(
    request: Request,
    access: SignedIn,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="New for everything that is to happen once. Native forms send it as the field idempotency_key",
            # Checked where it is used; a form has a field instead, and its page tells what is wrong with that.
            json_schema_extra={"minLength": 8, "maxLength": 200, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        ),
    ] = None,
) -> IdempotentCall:
    """Return the call with its key: the header's, or that of a native form's hidden field. Raises BadRequest."""
    route = request.scope["route"]
    query = f"?{request.url.query}" if request.url.query else ""
    once = IdempotentCall(
        access.user_id,
        f"{request.method} {route.path_format}",
        request.url.path + query,
        idempotency_key or await form_field(request, FIELD),
        route.status_code or 200,
    )
    if not once.key and wants_json(request):
        raise BadRequest("no key", user_message="Send an Idempotency-Key header.", code=_MISSING)
    return once


IdempotentCallDependency = Annotated[IdempotentCall, Depends(idempotent_call)]
