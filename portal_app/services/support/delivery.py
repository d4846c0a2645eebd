"""Hands customers' messages to Salesforce, in the worker: one message of a case at a time, in order, each once."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound, StorageFull
from portal_app.domain.ports.support import CaseGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import About, CaseCategory, NewCase
from portal_app.domain.support.message import Refusal, Reply
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.mirror import database_time
from portal_app.models.support import CaseRow, MessageRow
from portal_app.models.user import IdMapping, User
from portal_app.services.support.cases import TOPIC, SupportCases
from portal_app.services.support.message_order import wake_next
from portal_app.services.uploads.handing_over import HandingOver
from portal_app.services.write_guard import WriteGuard

# A message is woken when the one before it has ended; so many seconds later it looks by itself.
_BEHIND_ANOTHER = 300.0


class SupportDelivery:
    """Send messages step by step; every step is safe to repeat."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        gateway: CaseGateway,
        *,
        queue: DurableQueue,
        cases: SupportCases,
        files: HandingOver,
        live: LiveUpdates,
        clock: Callable[[], datetime] = now,
    ) -> None:
        settle = timedelta(seconds=settings.sf_timeout)
        self._guard = WriteGuard(database, _locked, "tried_at", settle=settle, clock=clock)
        self._database = database
        self._gateway = gateway
        self._queue = queue
        self._cases = cases
        self._files = files
        self._live = live
        self._clock = clock

    async def claim(self, message_id: UUID) -> float | None:
        """Claim a message whose time and turn have come: from then on it cannot be taken back.

        Return 0 when it is claimed, the seconds to wait before that, and None where it was taken back or is sent.
        """
        async with self._database.unit_of_work() as session:
            message = await _locked(session, message_id)
            if message.state == "sending":
                return 0.0
            if message.state != "queued":
                return None
            seconds = (message.send_at - self._clock()).total_seconds()
            if seconds > 0:
                return seconds
            # The lock of the case keeps two of its messages from claiming at the same time.
            await CaseRow.locked(session, message.case_id)
            if await _is_behind_another(session, message):
                return _BEHIND_ANOTHER
            message.state = "sending"
            user_id, case_id = message.user_id, str(message.case_id)
        await self._live.publish(Change(user_id, TOPIC, case_id))
        return 0.0

    async def send(self, message_id: UUID) -> None:
        """Hand a message over. Raises NotFound where its case is gone, ExternalRejected where the org refuses it.

        StorageFull: the org has no room for its files, which stay here with it.
        """
        async with self._database.unit_of_work() as session:
            message = await _locked(session, message_id)
            case = await CaseRow.locked(session, message.case_id)
            mapping = await session.get(IdMapping, message.user_id)
            user = await User.required(session, message.user_id)
        if case is None or mapping is None:
            raise NotFound("no such case")
        if message.state != "sending":
            return
        await self._files.require_checked(message_id)
        if message.seq == 0:
            sf_ids = await self._open(mapping.to_domain(), user, case, message)
            await self._files.hand_over(message_id, sf_ids[0])
        else:
            place = await self._place_of(case)
            # Files first: an agent who reads the message finds them there.
            await self._files.hand_over(message_id, place)
            sf_ids = await self._hand_over(place, message)
        await self._note_sent(message_id, sf_ids)

    async def show(self, message_id: UUID) -> None:
        """Read the case again, so that its thread shows the message with Salesforce's time and number."""
        async with self._database.unit_of_work() as session:
            message = await _locked(session, message_id)
            case = await session.get(CaseRow, message.case_id)
            if case is not None and case.merged_into is not None:
                case = await session.get(CaseRow, case.merged_into)
            asked_at = await database_time(session)
        if case is not None and case.sf_case_id:
            await self._cases.read_thread(case.user_id, case.id, case.sf_case_id, asked_at=asked_at)
        await self._live.publish(Change(message.user_id, TOPIC, str(message.case_id)))

    async def refuse(self, message_id: UUID, code: str) -> None:
        """Record that a message will not be sent, and why: its text stays for the customer to use."""
        async with self._database.unit_of_work() as session:
            message = await _locked(session, message_id)
            if message.state == "sent":
                return
            reason: Refusal = "not_accepted"
            if code == NotFound.code:
                reason = "case_gone"
            elif code == StorageFull.code:
                reason = "storage_full"
            elif message.reopens:
                reason = "reopening_refused"
            message.state, message.refusal = "refused", reason
            await wake_next(session, self._queue, message.case_id)
            user_id, case_id = message.user_id, str(message.case_id)
        await self._live.publish(Change(user_id, TOPIC, case_id))

    async def _place_of(self, case: CaseRow) -> str:
        """Return the case at Salesforce that takes a message: the one into which agents merged it, if they did."""
        async with self._database.unit_of_work() as session:
            master = await session.get(CaseRow, case.merged_into) if case.merged_into else None
        sf_case_id = (master or case).sf_case_id
        if sf_case_id is None:
            raise NotFound("its case was never opened")
        return sf_case_id

    async def _hand_over(self, sf_case_id: str, message: MessageRow) -> list[str]:
        if message.kind == "solved":
            await self._gateway.close(sf_case_id, message.id)
            return []
        if message.kind == "rating":
            await self._gateway.rate(sf_case_id, int(message.context), message.text)
            return []
        return await self._reply(sf_case_id, message)

    async def _open(self, customer: Customer, user: User, case: CaseRow, message: MessageRow) -> list[str]:
        # Looked up first: writing it again would undo what agents have changed since, and name another owner.
        sf_case_id = case.sf_case_id or await self._gateway.opened(case.id)
        if sf_case_id is None:
            category: CaseCategory = case.category  # type: ignore[assignment]
            new = NewCase(category, case.subject, message.text, About.parse(case.about), message.context)
            sf_case_id = await self._gateway.open(customer, case.id, new, language=user.language, recipient=user.email)
        await self._link(customer, case, sf_case_id)
        earlier = await self._earlier(case)
        if earlier:
            await self._gateway.follow_up(sf_case_id, earlier)
        return [sf_case_id]

    async def _link(self, customer: Customer, case: CaseRow, sf_case_id: str) -> None:
        async with self._database.unit_of_work() as session:
            row = await CaseRow.locked(session, case.id)
            if row is not None and row.sf_case_id is None:
                row.sf_case_id = sf_case_id
        await self._cases.mirror.write_cases(customer.user_id, await self._gateway.changed_cases([sf_case_id]))

    async def _earlier(self, case: CaseRow) -> str:
        if case.follows is None:
            return ""
        async with self._database.unit_of_work() as session:
            row = await session.get(CaseRow, case.follows)
        return (row.sf_case_id if row else None) or ""

    async def _reply(self, sf_case_id: str, message: MessageRow) -> list[str]:
        reply = Reply(message.id, message.case_id, message.text, message.reopens)

        async def ask() -> list[str]:
            # Agents may have closed or reopened the case since the customer wrote.
            reopens = await self._gateway.is_closed(sf_case_id)
            await self._note_reopening(message.id, reopens=reopens)
            return await self._gateway.reply(sf_case_id, reply.id, reply.comments, reopen=reopens)

        async def written() -> list[str] | None:
            found = await self._gateway.written(sf_case_id, reply.id)
            taken = await self._claimed_by_others(message)
            free = [comment for comment in found.comments if comment[0] not in taken]
            ids = _newest_of_each(free, reply.comments)
            # All or none: the token tells, also where agents changed a comment since, and else the texts do.
            return ids if found.is_last or len(ids) == len(reply.comments) else None

        return await self._guard.send(message.id, ask, look_up=written, vendor="salesforce")

    async def _note_reopening(self, message_id: UUID, *, reopens: bool) -> None:
        async with self._database.unit_of_work() as session:
            (await _locked(session, message_id)).reopens = reopens

    async def _claimed_by_others(self, message: MessageRow) -> set[str]:
        query = select(MessageRow.sf_ids).where(MessageRow.case_id == message.case_id, MessageRow.id != message.id)
        async with self._database.unit_of_work() as session:
            return {sf_id for sf_ids in (await session.exec(query)).all() for sf_id in sf_ids}

    async def _note_sent(self, message_id: UUID, sf_ids: list[str]) -> None:
        async with self._database.unit_of_work() as session:
            message = await _locked(session, message_id)
            message.state, message.sf_ids = "sent", sf_ids
            await wake_next(session, self._queue, message.case_id)
            message.sent_at = message.sent_at or await database_time(session)
            stale = sa.update(CaseRow).where(col(CaseRow.id) == message.case_id)
            await (await session.connection()).execute(stale.values(stale_at=message.sent_at))


async def _locked(session: AsyncSession, message_id: UUID) -> MessageRow:
    message = await MessageRow.locked(session, message_id)
    if message is None:
        raise NotFound("no such message")
    return message


def _newest_of_each(found: Sequence[tuple[str, str]], texts: Sequence[str]) -> list[str]:
    """Return the ids of the newest comments that carry these texts, in the order of the texts."""
    left, ids = list(found), []
    for text in reversed(texts):
        comment = next((each for each in reversed(left) if each[1] == text), None)
        if comment is not None:
            left.remove(comment)
            ids.append(comment[0])
    return ids[::-1]


async def _is_behind_another(session: AsyncSession, message: MessageRow) -> bool:
    query = select(MessageRow.id).where(
        MessageRow.case_id == message.case_id,
        MessageRow.seq < message.seq,
        col(MessageRow.state).in_(("queued", "sending")),
    )
    return (await session.exec(query.limit(1))).first() is not None
