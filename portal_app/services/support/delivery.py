"""Hands customers' messages to Salesforce, in the worker: one message of a case at a time, in order, each once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.support import CaseGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import About, CaseCategory, NewCase
from portal_app.domain.support.message import Refusal, Reply
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.mirror import database_time
from portal_app.models.support import CaseRow, MessageRow
from portal_app.models.user import IdMapping, User
from portal_app.services.support.cases import TOPIC, SupportCases
from portal_app.services.uploads.handing_over import HandingOver
from portal_app.services.write_guard import WriteGuard

# How long a message waits for the one before it, before it looks again.
_BEHIND_ANOTHER = 2.0


class SupportDelivery:
    """Send messages step by step; every step is safe to repeat."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        gateway: CaseGateway,
        *,
        cases: SupportCases,
        files: HandingOver,
        live: LiveUpdates,
        clock: Callable[[], datetime] = now,
    ) -> None:
        settle = timedelta(seconds=settings.sf_timeout)
        self._guard = WriteGuard(database, _locked, "tried_at", settle=settle, clock=clock)
        self._database = database
        self._gateway = gateway
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
        """Hand a message over. Raises NotFound where its case is gone, ExternalRejected where the org refuses it."""
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
        elif case.sf_case_id is None:
            raise NotFound("its case was never opened")
        else:
            # Files first: an agent who reads the message finds them there.
            await self._files.hand_over(message_id, case.sf_case_id)
            sf_ids = await self._reply(case.sf_case_id, message)
        await self._note_sent(message_id, sf_ids)

    async def show(self, message_id: UUID) -> None:
        """Read the case again, so that its thread shows the message with Salesforce's time and number."""
        async with self._database.unit_of_work() as session:
            message = await _locked(session, message_id)
            case = await session.get(CaseRow, message.case_id)
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
            elif message.reopens:
                reason = "reopening_refused"
            message.state, message.refusal = "refused", reason
            user_id, case_id = message.user_id, str(message.case_id)
        await self._live.publish(Change(user_id, TOPIC, case_id))

    async def _open(self, customer: Customer, user: User, case: CaseRow, message: MessageRow) -> list[str]:
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
            return await self._gateway.reply(sf_case_id, reply.id, reply.comments, reopen=reply.reopens)

        async def was_written() -> list[str] | None:
            # Comments and token are written together or not at all; which comments, the next reading tells.
            return [] if await self._gateway.last_message(sf_case_id) == str(reply.id) else None

        return await self._guard.send(message.id, ask, look_up=was_written, vendor="salesforce")

    async def _note_sent(self, message_id: UUID, sf_ids: list[str]) -> None:
        async with self._database.unit_of_work() as session:
            message = await _locked(session, message_id)
            message.state, message.sf_ids = "sent", sf_ids
            message.sent_at = message.sent_at or await database_time(session)
            stale = sa.update(CaseRow).where(col(CaseRow.id) == message.case_id)
            await (await session.connection()).execute(stale.values(stale_at=message.sent_at))


async def _locked(session: AsyncSession, message_id: UUID) -> MessageRow:
    message = await MessageRow.locked(session, message_id)
    if message is None:
        raise NotFound("no such message")
    return message


async def _is_behind_another(session: AsyncSession, message: MessageRow) -> bool:
    query = select(MessageRow.id).where(
        MessageRow.case_id == message.case_id,
        MessageRow.seq < message.seq,
        col(MessageRow.state).in_(("queued", "sending")),
    )
    return (await session.exec(query.limit(1))).first() is not None
