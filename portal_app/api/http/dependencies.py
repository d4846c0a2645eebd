"""Dependencies of routes for signed-in customers: the session, the customer, the ids of a path."""

from typing import Annotated

from fastapi import Depends, Path
from fastapi.security import APIKeyCookie
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request

from portal_app.api.http.request_context import context_of
from portal_app.domain.errors import NotFound, NotSignedIn
from portal_app.domain.profile.customer import Customer
from portal_app.infra.security.tokens import Access
from portal_app.wiring.portal import portal


class _IdConvertor(Convertor[str]):
    """An id in a path, well formed or not, but never a plain word: `options` is a route beside `{passkey_id}`."""

    regex = "[^/]*[^a-z/-][^/]*"

    def convert(self, value: str) -> str:
        """Return the text as it stands in the path."""
        return value

    def to_string(self, value: str) -> str:
        """Return the text as it stands in a path."""
        return value


register_url_convertor("an_id", _IdConvertor())
# The largest integer of the columns that ids are compared with.
LARGEST_ID = 2**31 - 1
# For OpenAPI only: SessionMiddleware reads the cookie.
_cookie = APIKeyCookie(
    name="__Host-portal-access",
    auto_error=False,
    description="Set by /api/auth/login. On plain http its name holds the port.",
)
# Ids of a path. A malformed one is like one that nothing has: 404, which `vendor_id` and `our_id` raise.
VendorId = Annotated[str, Path(json_schema_extra={"pattern": "^[0-9]{1,10}$"})]
OurId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]


async def signed_in(request: Request, _: Annotated[str | None, Depends(_cookie)] = None) -> Access:
    """Return the session of a request, and count the request against its limit.

    Raises NotSignedIn, RateLimited, DatabaseUnavailable.
    """
    context = context_of(request.scope)
    access = context.access
    if access is None:
        raise context.session_error or NotSignedIn("no live session")
    built = portal()
    if not context.is_counted:
        await built.limits.consume(built.settings.portal_api_limit, "api", str(access.user_id), strict=False)
    return access


SignedIn = Annotated[Access, Depends(signed_in)]


async def proven(access: SignedIn) -> Access:
    """Return the session after a proof of identity in the last minutes. Raises StepUpNeeded, NotSignedIn."""
    await portal().identity.sessions.require_recent(access.session_id)
    return access


async def proven_for_order(access: SignedIn) -> Access:
    """Return the session after a proof of identity that is good for an order. Raises StepUpNeeded, NotSignedIn."""
    built = portal()
    await built.identity.sessions.require_recent(access.session_id, seconds=built.settings.portal_order_proof_seconds)
    return access


# Which act needs which of them: docs/decisions/0026.
RecentProof = Annotated[Access, Depends(proven)]
OrderProof = Annotated[Access, Depends(proven_for_order)]


async def customer(access: SignedIn) -> Customer:
    """Return the signed-in customer. Raises AccountNotReady while the account is being set up."""
    return await portal().identity.accounts.customer(access.user_id)


SignedInCustomer = Annotated[Customer, Depends(customer)]


def vendor_id(text: str) -> int:
    """Read an id of a path. Raises NotFound for what cannot be one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 0 < int(text) <= LARGEST_ID):
        raise NotFound("malformed id")
    return int(text)
