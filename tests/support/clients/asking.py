"""Support cases as the pages and the API ask for them: once per key."""

from typing import Any
from uuid import UUID, uuid4

from portal_app.domain.idempotency import OPEN_CASE, REPLY_TO_CASE, Call
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import NewCase


async def open_case(side: Any, customer: Customer, text: str, *, subject: str = "Question", about: str = "") -> UUID:
    """Open a case with a new key and return its id. `side` is a portal."""
    new = NewCase.parse(category="other", subject=subject, text=text, about=about)
    made = await side.idempotency.once_shared(
        Call(customer.user_id, OPEN_CASE, uuid4().hex, new.fingerprint()),
        lambda claim: side.support.conversation.open(customer, new, claim=claim),
        status=201,
    )
    return UUID(made)


async def reply_to(side: Any, customer: Customer, case_id: UUID, text: str) -> UUID:
    """Write a message with a new key and return its id."""
    made = await side.idempotency.once_shared(
        Call(customer.user_id, REPLY_TO_CASE, uuid4().hex, f"{case_id}\n{text}"),
        lambda claim: side.support.conversation.reply(customer, case_id, text, claim=claim),
        status=201,
    )
    return UUID(made)
