"""A customer's support cases: the list, one thread, and what is unread. Salesforce is read as often as needed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select

from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.ports.support import CaseGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import About, SupportCase
from portal_app.domain.support.case_list import CasePage, CaseQuery, folded, page_of
from portal_app.domain.support.message import ENTRY_PAGE, RatingState, Thread
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.mirror import MirrorState, database_time, is_fresh
from portal_app.models.notice import NoticeRow
from portal_app.models.support import CaseRow, EntryRow, MessageRow
from portal_app.models.user import User
from portal_app.services.mirrors.cached_reads import CachedReads, SavedRead
from portal_app.services.support.answer_times import AnswerTimes
from portal_app.services.support.case_mirror import CASES, CaseMirror, case_of_row
from portal_app.services.support.thread_entries import ThreadEntries

TOPIC = "support"
# The kind of notice and mail that tells of an answer.
ANSWERED = "case_answered"


@dataclass(frozen=True, slots=True)
class _Age:
    read_at: datetime | None
    is_fresh: bool
    looked_at: datetime


class SupportCases:
    """Read a customer's cases."""

    def __init__(
        self, settings: Settings, database: Database, gateway: CaseGateway, *, reads: CachedReads, live: LiveUpdates
    ) -> None:
        self._settings = settings
        self._database = database
        self._gateway = gateway
        self._reads = reads
        self._live = live
        self.mirror = CaseMirror(database)
        self._entries = ThreadEntries(database)
        self.answer_times = AnswerTimes(settings, database)

    async def page(self, customer: Customer, query: CaseQuery) -> CasePage:
        """Return a page of the list. Raises ExternalUnavailable where it was never read."""
        age, error = await self._reads.get_saved(self._list_read(customer))
        if error is not None and age.read_at is None:
            raise ExternalUnavailable("cases were never read", vendor="salesforce") from error
        as_of = None if age.is_fresh else age.read_at
        if not query.search:
            return await self.mirror.page(customer.user_id, query, as_of=as_of)
        # Texts are encrypted at rest: a search reads them all, and anything else only what it shows.
        cases, found = await self.mirror.cases(customer.user_id), await self._matching(customer.user_id, query.search)
        matching = [case for case in cases if case.id in found or query.search in folded(_words(case))]
        return page_of(matching, query, as_of=as_of)

    async def thread(
        self, customer: Customer, case_id: UUID, *, before: int | None = None, most: int = ENTRY_PAGE
    ) -> Thread:
        """Return a case with its last entries, or those before a place, as saved where Salesforce is away.

        Raises NotFound, also for another's.
        """
        row = await self._row(customer, case_id)
        as_of: datetime | None = None
        if row.sf_case_id and row.merged_into is None:
            age, error = await self._reads.get_saved(self._thread_read(customer, row))
            if error is not None and age.read_at is None and not await self._has_own_words(customer, case_id):
                raise ExternalUnavailable("case was never read", vendor="salesforce") from error
            row, as_of = await self._row(customer, case_id), None if age.is_fresh else age.read_at
        found = await self._entries.page(customer.user_id, case_id, before=before, most=most)
        opening = next((entry for entry in found.entries if entry.kind == "opening"), None)
        # Where Salesforce has its words and no room for its files, the team answers all the same.
        is_refused = opening is not None and opening.state == "refused" and row.sf_case_id is None
        case = case_of_row(row, is_refused=is_refused)
        return Thread(
            case=case,
            entries=found.entries,
            can_be_reopened=case.can_be_reopened(now(), days=self._settings.portal_reopen_days),
            as_of=as_of,
            earlier=found.earlier,
            solving=found.solving,
            rating=_rating_of(case, found.rated_at),
            answer=await self.answer_times.expected(case, row.answer_due_at),
            merged_into=row.merged_into,
        )

    async def mark_seen(self, customer: Customer, case_id: UUID) -> None:
        """Record that the customer has seen a case with all that is in it, and read its notice.

        Another customer's is not affected.
        """
        # A second later than the team's last words: Salesforce's times have whole seconds.
        shown = col(CaseRow.team_at) + timedelta(seconds=1)
        seen = sa.update(CaseRow).where(col(CaseRow.id) == case_id, col(CaseRow.user_id) == customer.user_id)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            connection = await session.connection()
            unread = sa.select(CaseRow.is_unread()).where(col(CaseRow.id) == case_id)
            was_unread = bool(await connection.scalar(unread))
            await connection.execute(seen.values(seen_at=sa.func.greatest(now(), shown)))
            notice = sa.update(NoticeRow).where(
                col(NoticeRow.user_id) == customer.user_id,
                col(NoticeRow.kind) == ANSWERED,
                col(NoticeRow.source_id) == str(case_id),
                col(NoticeRow.read_at).is_(None),
            )
            was_told = (await connection.execute(notice.values(read_at=now()))).rowcount
        if was_unread or was_told:
            # Dashboards and lists that are open elsewhere call it unread.
            await self._live.publish(Change(customer.user_id, "notices", ""))
            await self._live.publish(Change(customer.user_id, TOPIC, str(case_id)))

    async def about(self, customer: Customer, *about: About) -> list[SupportCase]:
        """Return the known cases about some things, last activity first, at most twenty."""
        return await self.mirror.about(customer.user_id, [str(each) for each in about])

    async def unread(self, user_id: UUID) -> list[SupportCase]:
        """Return the cases with an answer that the customer has not seen, at most twenty."""
        return await self.mirror.unread(user_id)

    async def _row(self, customer: Customer, case_id: UUID) -> CaseRow:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await CaseRow.own(session, customer.user_id, case_id)
        if row is None:
            raise NotFound("no such case")
        return row

    async def _has_own_words(self, customer: Customer, case_id: UUID) -> bool:
        query = select(MessageRow.id).where(MessageRow.case_id == case_id).limit(1)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            return (await session.exec(query)).first() is not None

    async def _matching(self, user_id: UUID, search: str) -> set[UUID]:
        """Return the cases with a text that holds a search, in memory because texts are encrypted at rest."""
        entries = select(EntryRow).where(EntryRow.user_id == user_id)
        # What Salesforce has is searched as it is there: agents may have changed or hidden it.
        waiting = col(MessageRow.state).in_(("queued", "sending", "refused"))
        messages = select(MessageRow).where(MessageRow.user_id == user_id, waiting)
        async with self._database.unit_of_work(customer=user_id) as session:
            texts = [(row.case_id, row.text) for row in (await session.exec(entries)).all()]
            texts += [(row.case_id, row.text) for row in (await session.exec(messages)).all()]
        return {case_id for case_id, text in texts if search in folded(text)}

    def _list_read(self, customer: Customer) -> SavedRead[_Age]:
        return SavedRead(
            key=f"cases:{customer.user_id}",
            vendor="salesforce",
            load=lambda: self._list_age(customer),
            is_fresh=lambda age: age.is_fresh,
            update=lambda age: self._update_list(customer, age.looked_at),
            change=Change(customer.user_id, TOPIC),
        )

    async def _update_list(self, customer: Customer, asked_at: datetime) -> bool:
        found = await self._gateway.cases(customer)
        return await self.mirror.write_list(customer.user_id, found, asked_at=asked_at)

    async def _list_age(self, customer: Customer) -> _Age:
        query = select(MirrorState).where(MirrorState.user_id == customer.user_id, MirrorState.kind == CASES)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = (await session.exec(query)).first()
            looked_at = await database_time(session)
        if row is None:
            return _Age(None, is_fresh=False, looked_at=looked_at)
        return _Age(row.read_at, row.is_fresh(self._settings.cache_cases_seconds, looked_at), looked_at)

    def _thread_read(self, customer: Customer, row: CaseRow) -> SavedRead[_Age]:
        return SavedRead(
            key=f"case:{row.id}",
            vendor="salesforce",
            load=lambda: self._thread_age(customer, row.id),
            is_fresh=lambda age: age.is_fresh,
            update=lambda age: self.read_thread(customer.user_id, row.id, row.sf_case_id or "", asked_at=age.looked_at),
            change=Change(customer.user_id, TOPIC, str(row.id)),
        )

    async def _thread_age(self, customer: Customer, case_id: UUID) -> _Age:
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            row = await CaseRow.own(session, customer.user_id, case_id)
            looked_at = await database_time(session)
        if row is None:
            raise NotFound("no such case")
        fresh = is_fresh(row.read_at, self._settings.cache_cases_seconds, at=looked_at, stale_at=row.stale_at)
        return _Age(row.read_at, fresh, looked_at)

    async def read_thread(self, user_id: UUID, case_id: UUID, sf_case_id: str, *, asked_at: datetime) -> bool:
        """Read a thread from Salesforce and save it; return whether anything changed. Raises NotFound."""
        async with self._database.identity() as session:
            user = await User.required(session, user_id)
        thread = await self._gateway.thread(sf_case_id, recipient=user.email)
        return await self.mirror.write_thread(user_id, case_id, thread, asked_at=asked_at)


def _rating_of(case: SupportCase, rated_at: datetime | None) -> RatingState:
    """Return whether a closed case can be rated: once for each time that it was closed."""
    if not case.is_closed or case.closed_at is None:
        return "none"
    if rated_at is not None and rated_at >= case.closed_at:
        return "given"
    return "possible" if case.can_be_rated(now()) else "none"


def _words(case: SupportCase) -> str:
    return f"{case.subject} {case.number} {case.category}"
