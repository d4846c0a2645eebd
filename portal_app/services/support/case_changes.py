"""Takes over what agents did at Salesforce: the mirror follows, open pages hear of it, customers are told once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.errors import NotFound
from portal_app.domain.ports.support import CaseGateway, RemoteCase
from portal_app.domain.support.quotes import split_quotes
from portal_app.domain.support.secrets import secrets_in
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.models.mirror import database_time
from portal_app.models.support import CaseRow, EntryRow
from portal_app.models.user import IdMapping, User
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.notifications.notices import raise_notice
from portal_app.services.support.cases import ANSWERED, TOPIC, SupportCases

AT_ONCE = 200
# A customer who looked at a case within this time may still have it open: it is read without an event too.
_WATCHED = timedelta(minutes=30)
_CLOCKS, _NEVER = timedelta(minutes=1), datetime(2000, 1, 1, tzinfo=UTC)
# Characters of an answer that stand in its mail; people read them on phones.
_EXCERPT = 1500
# Earlier mails that a mail names: the first, and the last ones.
_MOST_REFERENCES = 10


class CaseChanges:
    """Apply changes of cases."""

    def __init__(
        self,
        database: Database,
        gateway: CaseGateway,
        queue: DurableQueue,
        *,
        cases: SupportCases,
        email_outbox: EmailOutbox,
        live: LiveUpdates,
        reply_to: str = "",
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._queue = queue
        self._cases = cases
        self._email_outbox = email_outbox
        self._live = live
        self._reply_to = reply_to
        self._clock = clock

    async def changed_since(self, since: datetime) -> list[str]:
        """Return the Salesforce ids of every case that changed since a moment."""
        return await self._gateway.cases_changed_since(since)

    async def watched(self) -> list[str]:
        """Return the Salesforce ids of cases in which something is new, of at most 200 that customers may have open.

        Salesforce is asked once for all of them.
        """
        query = select(CaseRow.sf_case_id, CaseRow.read_at).where(
            col(CaseRow.seen_at) > self._clock() - _WATCHED, col(CaseRow.sf_case_id).is_not(None)
        )
        async with self._database.unit_of_work() as session:
            rows = (await session.exec(query.order_by(col(CaseRow.seen_at).desc()).limit(AT_ONCE))).all()
        # Salesforce's clock may differ from ours, and its times have whole seconds: better read once too often.
        known = {str(sf_case_id): (read_at or _NEVER) - _CLOCKS for sf_case_id, read_at in rows}
        found = await self._gateway.written_since(list(known), min(known.values())) if known else {}
        return [sf_case_id for sf_case_id, at in found.items() if sf_case_id in known and at >= known[sf_case_id]]

    async def apply(self, sf_case_ids: Sequence[str]) -> None:
        """Read at most 200 cases and their threads again, and tell customers what is new for them."""
        asked_at = await self._database_time()
        found = await self._gateway.changed_cases(sf_case_ids)
        await self._apply_ends(set(sf_case_ids) - {case.sf_case_id for case in found}, found)
        for user_id, cases in (await self._by_customer(found)).items():
            changed = await self._cases.mirror.write_cases(user_id, cases)
            for case in cases:
                await self._apply_thread(user_id, case, asked_at=asked_at, is_changed=bool(changed))

    async def tell(self, case_id: UUID) -> None:
        """Send one mail for all answers that the customer has neither seen nor been told of."""
        async with self._database.unit_of_work() as session:
            case = await CaseRow.locked(session, case_id)
            if case is None or not case.is_shown:
                return
            news = await _untold(session, case)
            if not news:
                return
            case.told_at, case.told_id = news[-1].at, news[-1].sf_id
            user = await User.required(session, case.user_id)
            await self._mail(session, case, user, news)

    async def _mail(self, session: AsyncSession, case: CaseRow, user: User, news: Sequence[EntryRow]) -> None:
        """Mail what is new, as part of the thread of mails about the case."""
        text = "\n\n".join(split_quotes(entry.text)[0] for entry in news)
        earlier = [str(each) for each in case.mail_ids]
        # By its id Email-to-Case puts a reply to this mail into the case; without it a reply would open another one.
        threading = [case.threading_id] if self._reply_to and case.threading_id.startswith("<") else []
        mail_id = await self._email_outbox.enqueue(
            session,
            ANSWERED,
            recipient=user.email,
            user_id=case.user_id,
            number=case.number,
            title=case.subject,
            case_id=str(case.id),
            # Agents' words are mailed, but no secret that stands in them.
            answer="" if secrets_in(text) else text[:_EXCERPT],
            is_first="" if earlier else "yes",
            references=" ".join((*threading, *earlier)),
            reply_to=self._reply_to if threading else "",
        )
        if mail_id is not None:
            case.mail_ids = [*earlier[:1], *earlier[1:][-_MOST_REFERENCES + 2 :], str(mail_id)]

    async def _apply_ends(self, missing: set[str], found: Sequence[RemoteCase]) -> None:
        masters = await self._gateway.masters(sorted(missing)) if missing else {}
        masters |= {case.sf_case_id: case.merged_into for case in found if case.merged_into}
        if not masters and not missing:
            return
        # The mirror knows a master only once it was read; its own change is a change of this case's customer too.
        for user_id, cases in (await self._by_customer(await self._gateway.changed_cases([*masters.values()]))).items():
            await self._cases.mirror.write_cases(user_id, cases)
        for user_id, case_id in await self._cases.mirror.write_ends(masters, sorted(missing - masters.keys())):
            await self._live.publish(Change(user_id, TOPIC, str(case_id)))
            await self._live.publish(Change(user_id, TOPIC, ""))

    async def _apply_thread(self, user_id: UUID, case: RemoteCase, *, asked_at: datetime, is_changed: bool) -> None:
        async with self._database.unit_of_work() as session:
            query = select(CaseRow).where(CaseRow.sf_case_id == case.sf_case_id)
            row = (await session.exec(query)).first()
        if row is None:
            return
        try:
            is_news = await self._cases.read_thread(user_id, row.id, case.sf_case_id, asked_at=asked_at)
        except NotFound:
            return
        if is_news and case.is_shown:
            await self._announce(row.id)
        if is_news or is_changed:
            await self._live.publish(Change(user_id, TOPIC, str(row.id)))
            await self._live.publish(Change(user_id, "notices", ""))

    async def _announce(self, case_id: UUID) -> None:
        async with self._database.unit_of_work() as session:
            case = await CaseRow.locked(session, case_id)
            news = await _untold(session, case) if case else []
            if case is None or not news:
                return
            await raise_notice(
                session,
                ANSWERED,
                user_id=case.user_id,
                source_id=str(case.id),
                subject=case.subject,
                path=f"/support/cases/{case.id}",
            )
            # One mail for all that comes within its delay: a second workflow finds nothing left to tell.
            await self._queue.enqueue(session, "tell_case", f"tell-case-{case.id}-{news[-1].sf_id}", str(case.id))

    async def _by_customer(self, cases: Sequence[RemoteCase]) -> dict[UUID, list[RemoteCase]]:
        accounts = {case.account_id for case in cases}
        query = select(IdMapping.sf_account_id, IdMapping.user_id).where(col(IdMapping.sf_account_id).in_(accounts))
        async with self._database.unit_of_work() as session:
            owners = dict((await session.exec(query)).all())
        found: defaultdict[UUID, list[RemoteCase]] = defaultdict(list)
        for case in cases:
            if owner := owners.get(case.account_id):
                found[owner].append(case)
        return found

    async def _database_time(self) -> datetime:
        async with self._database.unit_of_work() as session:
            return await database_time(session)


async def _untold(session: AsyncSession, case: CaseRow) -> list[EntryRow]:
    """Return the team's entries that the customer has neither seen nor been told of, oldest first."""
    query = select(EntryRow).where(EntryRow.case_id == case.id, EntryRow.side == "team", EntryRow.kind != "opening")
    if case.seen_at is not None:
        query = query.where(col(EntryRow.at) > case.seen_at.replace(microsecond=0) - timedelta(seconds=1))
    if case.told_at is not None:
        query = query.where(col(EntryRow.at) >= case.told_at)
    found = (await session.exec(query.order_by(col(EntryRow.position)))).all()
    # Several entries may have the same second; Salesforce's ids grow with time.
    told = (case.told_at, case.told_id)
    return [entry for entry in found if case.told_at is None or (entry.at, entry.sf_id) > told]
