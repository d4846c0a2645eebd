"""What a customer writes to support: taken in one transaction with the durable work that hands it to Salesforce."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import Conflict, NotFound
from portal_app.domain.idempotency import Claim
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import NewCase
from portal_app.domain.support.message import NEW_CASE_DRAFT, MessageKind, parse_reply
from portal_app.domain.support.rating import Rating
from portal_app.infra.clock import now
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.support import CaseRow, DraftRow, MessageRow
from portal_app.services.audit import Tag, record
from portal_app.services.identity.context import ServiceContext
from portal_app.services.support.case_mirror import case_of_row
from portal_app.services.support.cases import TOPIC
from portal_app.services.support.message_order import wake, wake_next, workflow_of
from portal_app.services.uploads.uploads import attach, detach, limits_of

_TOO_LATE = "It is too late to take this message back: it is being sent."
_NOT_RATED = "This case cannot be rated: it is open, or it was closed too long ago."
_CLOSED = "This case was closed too long ago to be reopened. Open a new one; it will refer to this one."


@dataclass(frozen=True, slots=True)
class Draft:
    """What a customer has typed. `version` 0 is a draft that was never saved."""

    content: str
    version: int


class Conversation:
    """Take new cases and messages, keep drafts."""

    def __init__(self, context: ServiceContext, live: LiveUpdates, *, clock: Callable[[], datetime] = now) -> None:
        self._context = context
        self._settings = context.settings
        self._database = context.database
        self._live = live
        self._clock = clock

    async def open(
        self,
        customer: Customer,
        new: NewCase,
        *,
        claim: Claim,
        follows: UUID | None = None,
        uploads: Sequence[UUID] = (),
    ) -> str:
        """Take a new case and return its id; Salesforce gets it as soon as it can. Raises RateLimited, NotFound."""
        await self._context.limits.consume(self._settings.portal_case_limit, "case", str(customer.user_id))
        at = self._clock()
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            if follows is not None and await CaseRow.own(session, customer.user_id, follows) is None:
                raise NotFound("no such case")
            row = CaseRow(
                user_id=customer.user_id,
                subject=new.subject,
                category=new.category,
                about=str(new.about or ""),
                follows=follows,
                opened_at=at,
                last_activity_at=at,
                seen_at=at,
            )
            session.add(row)
            await session.flush()
            message = MessageRow(
                case_id=row.id, user_id=customer.user_id, seq=0, text=new.text, context=new.context, send_at=at
            )
            await self._take(session, message, uploads)
            await _delete_draft(session, customer.user_id, NEW_CASE_DRAFT)
            record(session, Tag.CASE_OPENED, user_id=customer.user_id, actor="you", detail={"case": str(row.id)})
            await claim.finish(session, str(row.id))
            case_id = str(row.id)
        await self._publish(customer.user_id, case_id)
        return case_id

    async def reply(
        self, customer: Customer, case_id: UUID, text: str, *, claim: Claim, uploads: Sequence[UUID] = ()
    ) -> str:
        """Take a message and return its id. It can be taken back for some seconds.

        Raises InvalidInput, RateLimited, NotFound, and Conflict where the case was closed too long ago.
        """
        text = parse_reply(text)
        await self._context.limits.consume(self._settings.portal_message_limit, "message", str(customer.user_id))
        at = self._clock()
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await self._locked(session, customer, case_id)
            case = case_of_row(row)
            if not case.can_be_reopened(at, days=self._settings.portal_reopen_days):
                raise Conflict("closed too long", user_message=_CLOSED)
            message = MessageRow(
                case_id=case_id,
                user_id=customer.user_id,
                seq=await _next_number(session, case_id),
                text=text,
                context="",
                reopens=case.is_closed,
                created_at=at,
                send_at=at + timedelta(seconds=self._settings.portal_undo_seconds),
            )
            await self._take(session, message, uploads)
            row.last_activity_at, row.last_by, row.seen_at = at, "customer", at
            await _delete_draft(session, customer.user_id, str(case_id))
            await claim.finish(session, str(message.id))
        await self._publish(customer.user_id, str(case_id))
        return str(message.id)

    async def solve(self, customer: Customer, case_id: UUID, *, claim: Claim) -> str:
        """Close a case on its customer's word and return the id of that wish, which can be taken back for some seconds.

        Raises RateLimited, NotFound, and Conflict where it is closed or being closed.
        """
        await self._context.limits.consume(self._settings.portal_message_limit, "message", str(customer.user_id))
        at = self._clock()
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await self._locked(session, customer, case_id)
            if row.is_closed or await _is_on_its_way(session, case_id, "solved"):
                raise Conflict("closed already", user_message="This case is closed already.")
            message = MessageRow(
                case_id=case_id,
                user_id=customer.user_id,
                seq=await _next_number(session, case_id),
                kind="solved",
                text="",
                context="",
                created_at=at,
                send_at=at + timedelta(seconds=self._settings.portal_undo_seconds),
            )
            await self._take(session, message)
            record(session, Tag.CASE_SOLVED, user_id=customer.user_id, actor="you", detail={"case": str(case_id)})
            await claim.finish(session, str(message.id))
        await self._publish(customer.user_id, str(case_id))
        return str(message.id)

    async def rate(self, customer: Customer, case_id: UUID, rating: Rating, *, claim: Claim) -> str:
        """Take a grade for a closed case, once for each closing. Raises RateLimited, NotFound, Conflict."""
        await self._context.limits.consume(self._settings.portal_message_limit, "message", str(customer.user_id))
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await self._locked(session, customer, case_id)
            if not case_of_row(row).can_be_rated(self._clock()):
                raise Conflict("not to be rated", user_message=_NOT_RATED)
            if row.closed_at and await _was_rated_since(session, case_id, row.closed_at):
                raise Conflict("rated already", user_message="You have rated this case already. Thank you.")
            message = MessageRow(
                case_id=case_id,
                user_id=customer.user_id,
                seq=await _next_number(session, case_id),
                kind="rating",
                text=rating.words,
                context=str(rating.grade),
                created_at=self._clock(),
                send_at=self._clock(),
            )
            await self._take(session, message)
            await claim.finish(session, str(message.id))
        await self._publish(customer.user_id, str(case_id))
        return str(message.id)

    async def withdraw(self, customer: Customer, case_id: UUID, message_id: UUID, *, typed: str = "") -> Draft:
        """Take a message back before it is sent. Its text is a draft again, before what is typed or saved already.

        Raises NotFound, and Conflict once it is sent.
        """
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            message = await self._message(session, customer, message_id)
            if message.case_id != case_id:
                raise NotFound("no such message")
            # The worker that sends it takes the same lock: the second of the two sees what the first did.
            if message.state != "queued" or message.seq == 0 or message.kind == "rating":
                raise Conflict("sent already", user_message=_TOO_LATE)
            message.state = "withdrawn"
            until = self._clock() + timedelta(hours=self._settings.portal_upload_hours)
            await detach(session, message.id, draft=str(case_id), until=until)
            found = await self._joined_draft(session, customer.user_id, message, typed)
            await wake(session, self._context.queue, message)
            await wake_next(session, self._context.queue, case_id)
        await self._publish(customer.user_id, str(case_id))
        return found

    async def _joined_draft(self, session: AsyncSession, user_id: UUID, message: MessageRow, typed: str) -> Draft:
        key = (user_id, str(message.case_id))
        row = await session.get(DraftRow, key, with_for_update=True)
        known = Draft(row.content, row.version) if row else Draft("", 0)
        content = "\n\n".join(filter(None, (message.text, typed or known.content)))
        return known if content == known.content else await self._write_draft(session, row, key, content)

    async def retry(self, customer: Customer, message_id: UUID) -> None:
        """Send again what Salesforce did not accept. Raises NotFound, Conflict where it was not refused."""
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            message = await self._message(session, customer, message_id)
            if message.state != "refused":
                raise Conflict("not refused", user_message="This message was not refused.")
            message.state, message.refusal, message.attempt = "queued", "", uuid4().hex[:12]
            await self._enqueue(session, message)
        await self._publish(customer.user_id, str(message.case_id))

    async def draft(self, user_id: UUID, key: str) -> Draft:
        """Return what a customer typed and did not send, for a case by its id or for a new one."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await session.get(DraftRow, (user_id, key[:40]))
        return Draft(row.content, row.version) if row else Draft("", 0)

    async def save_draft(self, user_id: UUID, key: str, content: str, *, version: int) -> int:
        """Save a draft that was read with this version, and return its new version.

        Raises Conflict where another device saved it meanwhile: both texts are still there.
        """
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await session.get(DraftRow, (user_id, key[:40]), with_for_update=True)
            if row is not None and row.version != version and row.content != content:
                raise Conflict("draft changed", user_message="This text was changed on another device.")
            return (await self._write_draft(session, row, (user_id, key[:40]), content)).version

    async def _write_draft(
        self, session: AsyncSession, row: DraftRow | None, key: tuple[UUID, str], content: str
    ) -> Draft:
        if row is None:
            row = DraftRow(user_id=key[0], key=key[1], content=content)
            session.add(row)
        else:
            row.content, row.version, row.updated_at = content, row.version + 1, self._clock()
        await session.flush()
        return Draft(row.content, row.version)

    async def _take(self, session: AsyncSession, message: MessageRow, uploads: Sequence[UUID] = ()) -> None:
        session.add(message)
        await session.flush()
        if uploads:
            await attach(session, message, uploads, limits=limits_of(self._settings), at=self._clock())
        await self._enqueue(session, message)

    async def _enqueue(self, session: AsyncSession, message: MessageRow) -> None:
        await self._context.queue.enqueue(session, "send_support_message", workflow_of(message), str(message.id))

    async def _locked(self, session: AsyncSession, customer: Customer, case_id: UUID) -> CaseRow:
        row = await CaseRow.locked(session, case_id)
        if row is None or row.user_id != customer.user_id or not row.is_shown:
            raise NotFound("no such case")
        return row

    async def _message(self, session: AsyncSession, customer: Customer, message_id: UUID) -> MessageRow:
        message = await MessageRow.locked(session, message_id)
        if message is None or message.user_id != customer.user_id:
            raise NotFound("no such message")
        return message

    async def _publish(self, user_id: UUID, case_id: str) -> None:
        await self._live.publish(Change(user_id, TOPIC, case_id))


async def _next_number(session: AsyncSession, case_id: UUID) -> int:
    query = select(sa.func.coalesce(sa.func.max(col(MessageRow.seq)), 0)).where(MessageRow.case_id == case_id)
    return int((await session.exec(query)).one()) + 1


async def _is_on_its_way(session: AsyncSession, case_id: UUID, kind: MessageKind) -> bool:
    waiting = col(MessageRow.state).in_(("queued", "sending"))
    query = select(MessageRow.id).where(MessageRow.case_id == case_id, MessageRow.kind == kind, waiting)
    return (await session.exec(query.limit(1))).first() is not None


async def _was_rated_since(session: AsyncSession, case_id: UUID, closed_at: datetime) -> bool:
    query = select(MessageRow.id).where(MessageRow.case_id == case_id, MessageRow.kind == "rating")
    return (await session.exec(query.where(MessageRow.created_at >= closed_at).limit(1))).first() is not None


async def _delete_draft(session: AsyncSession, user_id: UUID, key: str) -> None:
    delete = sa.delete(DraftRow).where(col(DraftRow.user_id) == user_id, col(DraftRow.key) == key)
    await (await session.connection()).execute(delete)
