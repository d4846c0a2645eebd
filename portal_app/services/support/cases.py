"""A customer's support cases: the list, one thread, and what is unread. Salesforce is read as often as needed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select

from portal_app.domain.errors import ExternalUnavailable, NotFound
from portal_app.domain.ports.support import CaseGateway
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import SupportCase
from portal_app.domain.support.case_list import CasePage, CaseQuery, folded, page_of
from portal_app.domain.support.message import Thread
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.redis.live import Change, LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.models.mirror import MirrorState, database_time, is_fresh
from portal_app.models.support import CaseRow, EntryRow, MessageRow
from portal_app.models.user import User
from portal_app.services.mirrors.cached_reads import CachedReads, SavedRead
from portal_app.services.support.case_mirror import CASES, CaseMirror, case_of_row

TOPIC = "support"


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

    async def page(self, customer: Customer, query: CaseQuery) -> CasePage:
        """Return a page of the list. Raises ExternalUnavailable where it was never read."""
        age, error = await self._reads.get_saved(self._list_read(customer))
        if error is not None and age.read_at is None:
            raise ExternalUnavailable("cases were never read", vendor="salesforce") from error
        cases = await self.mirror.cases(customer.user_id)
        if query.search:
            found = await self._matching(customer.user_id, query.search)
            cases = [case for case in cases if case.id in found or query.search in folded(_words(case))]
        return page_of(cases, query, as_of=None if age.is_fresh else age.read_at)

    async def thread(self, customer: Customer, case_id: UUID) -> Thread:
        """Return a case with its entries, as saved where Salesforce is away. Raises NotFound, also for another's."""
        row = await self._row(customer, case_id)
        as_of: datetime | None = None
        if row.sf_case_id:
            age, error = await self._reads.get_saved(self._thread_read(customer, row))
            if error is not None and age.read_at is None and not await self._has_own_words(customer, case_id):
                raise ExternalUnavailable("case was never read", vendor="salesforce") from error
            row, as_of = await self._row(customer, case_id), None if age.is_fresh else age.read_at
        case = case_of_row(row)
        return Thread(
            case=case,
            entries=tuple(await self.mirror.entries(customer.user_id, case_id)),
            can_be_reopened=case.can_be_reopened(now(), days=self._settings.portal_reopen_days),
            as_of=as_of,
        )

    async def mark_seen(self, customer: Customer, case_id: UUID) -> None:
        """Record that the customer has seen a case with all that is in it. Another customer's is not affected."""
        # A second later than the last message: Salesforce's times have whole seconds.
        shown = col(CaseRow.last_activity_at) + timedelta(seconds=1)
        seen = sa.update(CaseRow).where(col(CaseRow.id) == case_id, col(CaseRow.user_id) == customer.user_id)
        async with self._database.unit_of_work(customer=customer.user_id) as session:
            await (await session.connection()).execute(seen.values(seen_at=sa.func.greatest(now(), shown)))

    async def about(self, customer: Customer, about: str) -> list[SupportCase]:
        """Return the known cases about one thing, such as `invoice:12`."""
        return [case for case in await self.mirror.cases(customer.user_id) if str(case.about or "") == about]

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
        messages = select(MessageRow).where(MessageRow.user_id == user_id)
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
        async with self._database.unit_of_work(customer=user_id) as session:
            user = await User.required(session, user_id)
        thread = await self._gateway.thread(sf_case_id, recipient=user.email)
        return await self.mirror.write_thread(user_id, case_id, thread, asked_at=asked_at)


def _words(case: SupportCase) -> str:
    return f"{case.subject} {case.number} {case.category}"
