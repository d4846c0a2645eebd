"""Support cases: the list, one conversation, new cases and messages, drafts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.dependencies import OurId, SignedIn, SignedInCustomer
from portal_app.api.http.idempotency import IdempotentCallDependency
from portal_app.api.http.request_parsing import Body, Number, read, takes
from portal_app.api.http.responses import CREATED, as_of, json
from portal_app.api.support import schemas
from portal_app.domain.errors import NotFound
from portal_app.domain.identifiers import LARGEST_NUMBER, our_id
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import About, NewCase
from portal_app.domain.support.case_list import CaseQuery
from portal_app.domain.support.context import Fact, context_text
from portal_app.domain.support.message import parse_reply
from portal_app.domain.support.rating import Rating
from portal_app.domain.support.secrets import refuse_secrets
from portal_app.wiring.portal import portal

router = APIRouter(prefix="/api", tags=["support"])


class CaseBody(Body):
    """A new case. `category`: billing, internet, sim, vpn, order, account or other.

    `about` names an invoice, order, service or line as `invoice:12`; its facts go along unless `with_context` is false.
    `follows` is the id of a closed case. `confirm_secrets` sends a text that seems to hold a card number or password.
    """

    category: str = Field(max_length=20)
    subject: str = Field(max_length=500)
    text: str = Field(max_length=40_000)
    about: str = Field("", max_length=80)
    with_context: bool = True
    follows: str = Field("", max_length=40)
    confirm_secrets: bool = False
    uploads: list[str] = Field([], max_length=100, description="Ids of complete uploads, in order")


class MessageBody(Body):
    """A message in a case, at most 40,000 bytes. `confirm_secrets` sends one that seems to hold a card number."""

    text: str = Field(max_length=40_000)
    confirm_secrets: bool = False
    uploads: list[str] = Field([], max_length=100, description="Ids of complete uploads, in order")


class RatingBody(Body):
    """How a case was handled: a `grade` of 1, 2 or 3 (best), and at most 250 characters of words."""

    grade: str = Field(max_length=2)
    words: str = Field("", max_length=1_000)


class DraftBody(Body):
    """Text that is not sent yet, with the version that was read."""

    content: str = Field(max_length=40_000)
    version: int = Field(ge=0, le=2**31 - 1)


@router.get("/cases", response_model=schemas.CaseList)
async def cases(
    customer: SignedInCustomer,
    status: str = Query("", max_length=20, description="all, open, waiting or closed"),
    q: str = Query("", max_length=200, description="Words of the subject, number or conversation"),
    sort: str = Query("", max_length=20, description="activity, newest or oldest"),
    page: str = Query("", max_length=6),
) -> Response:
    """Return a page of the customer's cases."""
    query = CaseQuery.parse(status=status, q=q, sort=sort, page=page)
    found = await portal().support.cases.page(customer, query)
    shown = schemas.CaseList(
        schemas.CaseView.list_of(found.cases), found.total, found.page, found.last_page, found.as_of
    )
    return json(shown, headers=as_of(found.as_of))


@router.get("/cases/context", response_model=schemas.CaseContext)
async def context(customer: SignedInCustomer, about: str = Query(max_length=80)) -> Response:
    """Return the facts that would go along with a case about something such as `invoice:12`."""
    found = await _facts(customer, about)
    return json(schemas.CaseContext(about, schemas.FactView.list_of(found)))


@router.get("/cases/{case_id}", response_model=schemas.CaseDetail)
async def case(
    customer: SignedInCustomer,
    case_id: OurId,
    before: Annotated[Number | None, Query(ge=0, le=LARGEST_NUMBER)] = None,
) -> Response:
    """Return a case with the last 50 entries of its conversation, or those before the `earlier` of another page."""
    return await _shown(customer, our_id(case_id), before)


@router.post(
    "/cases",
    status_code=201,
    response_model=schemas.CaseDetail,
    responses=CREATED,
    openapi_extra=takes(CaseBody),
)
async def open_case(request: Request, customer: SignedInCustomer, once: IdempotentCallDependency) -> Response:
    """Open a case. It is taken also while Salesforce is away; its number follows.

    409 with the code secrets_found where the text seems to hold a card number, password, PIN or EID.
    """
    body = await read(request, CaseBody)
    facts = await _facts(customer, body.about) if body.about else []
    new = NewCase.parse(
        category=body.category,
        subject=body.subject,
        text=body.text,
        about=body.about,
        context=context_text(facts) if body.with_context else "",
    )
    refuse_secrets(f"{new.subject}\n{new.text}", confirmed=body.confirm_secrets)
    follows, uploads = our_id(body.follows) if body.follows else None, [our_id(each) for each in body.uploads]
    conversation = portal().support.conversation
    taken = await once.in_one_transaction(
        "\n".join((body.follows, *map(str, uploads), new.fingerprint())),
        lambda claim: conversation.open(customer, new, claim=claim, follows=follows, uploads=uploads),
    )
    answer = await _shown(customer, our_id(taken))
    return Response(answer.body, 201, {"Location": f"/api/cases/{taken}"}, media_type="application/json")


@router.post(
    "/cases/{case_id}/comments",
    status_code=201,
    response_model=schemas.MessageTaken,
    responses=CREATED,
    openapi_extra=takes(MessageBody),
)
async def reply(
    request: Request, customer: SignedInCustomer, case_id: OurId, once: IdempotentCallDependency
) -> Response:
    """Write a message. A closed case is reopened by it.

    409 where it was closed too long ago, and with the code secrets_found where the text seems to hold a card number,
    password, PIN or EID.
    """
    body, known = await read(request, MessageBody), our_id(case_id)
    text, uploads = parse_reply(body.text), [our_id(each) for each in body.uploads]
    refuse_secrets(text, confirmed=body.confirm_secrets)
    conversation = portal().support.conversation
    taken = await once.in_one_transaction(
        "\n".join((str(known), *map(str, uploads), text)),
        lambda claim: conversation.reply(customer, known, text, claim=claim, uploads=uploads),
    )
    return json(schemas.MessageTaken(taken, str(known)), 201, {"Location": f"/api/cases/{known}"})


@router.delete("/cases/{case_id}/comments/{message_id}", response_model=schemas.DraftView)
async def withdraw(
    customer: SignedInCustomer, case_id: OurId, message_id: OurId, once: IdempotentCallDependency
) -> Response:
    """Take a message back before it is sent, and return the draft that holds its text. 409 once it is being sent."""
    known, message, conversation = our_id(case_id), our_id(message_id), portal().support.conversation

    async def take_back() -> str:
        await conversation.withdraw(customer, known, message)
        return str(message)

    await once(None, take_back)
    return json(schemas.DraftView.from_domain(await conversation.draft(customer.user_id, str(known))))


@router.post("/cases/{case_id}/comments/{message_id}/retry", response_model=schemas.MessageTaken)
async def retry(
    customer: SignedInCustomer, case_id: OurId, message_id: OurId, once: IdempotentCallDependency
) -> Response:
    """Send again a message that was not accepted."""
    known, message = our_id(case_id), our_id(message_id)

    async def send_again() -> str:
        await portal().support.conversation.retry(customer, message)
        return str(message)

    return json(schemas.MessageTaken(await once(None, send_again), str(known)))


@router.post("/cases/{case_id}/solved", status_code=201, response_model=schemas.MessageTaken, responses=CREATED)
async def solve(customer: SignedInCustomer, case_id: OurId, once: IdempotentCallDependency) -> Response:
    """Close a case. Like a message it can be taken back for some seconds; 409 where it is closed already."""
    known, conversation = our_id(case_id), portal().support.conversation
    taken = await once.in_one_transaction(str(known), lambda claim: conversation.solve(customer, known, claim=claim))
    return json(schemas.MessageTaken(taken, str(known)), 201, {"Location": f"/api/cases/{known}"})


@router.post(
    "/cases/{case_id}/rating",
    status_code=201,
    response_model=schemas.MessageTaken,
    responses=CREATED,
    openapi_extra=takes(RatingBody),
)
async def rate(
    request: Request, customer: SignedInCustomer, case_id: OurId, once: IdempotentCallDependency
) -> Response:
    """Say how a closed case was handled, once for each time that it was closed; 409 otherwise."""
    body, known = await read(request, RatingBody), our_id(case_id)
    rating, conversation = Rating.parse(grade=body.grade, words=body.words), portal().support.conversation
    taken = await once.in_one_transaction(
        f"{known}\n{rating.grade}\n{rating.words}",
        lambda claim: conversation.rate(customer, known, rating, claim=claim),
    )
    return json(schemas.MessageTaken(taken, str(known)), 201, {"Location": f"/api/cases/{known}"})


@router.get("/drafts/{key}", response_model=schemas.DraftView)
async def draft(access: SignedIn, key: str) -> Response:
    """Return what is typed and not sent: for a case by its id, or for a `new` one."""
    found = await portal().support.conversation.draft(access.user_id, _draft_key(key))
    return json(schemas.DraftView.from_domain(found))


@router.put("/drafts/{key}", response_model=schemas.DraftView, openapi_extra=takes(DraftBody, form=False))
async def save_draft(request: Request, access: SignedIn, key: str, once: IdempotentCallDependency) -> Response:
    """Save a draft. 409 where it was changed elsewhere since this version; both texts are kept."""
    body = await read(request, DraftBody, form=False)

    async def save() -> str:
        saved = portal().support.conversation.save_draft
        return str(await saved(access.user_id, _draft_key(key), body.content, version=body.version))

    return json(schemas.DraftView(body.content, int(await once(body, save))))


async def _shown(customer: Customer, case_id: UUID, before: int | None = None) -> Response:
    thread = await portal().support.cases.thread(customer, case_id, before=before)
    return json(schemas.CaseDetail.of_thread(thread), headers=as_of(thread.as_of))


async def _facts(customer: Customer, text: str) -> list[Fact]:
    """Return the facts of what a case is about. Raises NotFound, also for another customer's and for no such kind."""
    about = About.parse(text)
    if about is None:
        raise NotFound("no such kind of thing")
    return await portal().support.about.facts_for(customer, about)


def _draft_key(key: str) -> str:
    return key if key == "new" else str(our_id(key))
