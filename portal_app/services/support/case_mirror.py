"""The mirror of support cases: a customer's whole list, or one whole thread, in the order in which the reads began."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from portal_app.domain.ports.support import RemoteCase, RemoteThread
from portal_app.domain.support.case import About, CaseCategory, Side, SupportCase
from portal_app.domain.support.case_list import PAGE, CaseFilter, CasePage, CaseQuery
from portal_app.domain.support.message import Entry, StatusLine
from portal_app.infra.clock import now
from portal_app.infra.database.database import Database
from portal_app.infra.security.mail_html import text_of_html
from portal_app.models.mirror import MirrorState
from portal_app.models.support import CaseRow, EntryRow, MessageRow, StatusLineRow
from portal_app.services.support.thread_files import with_own_entries, write_files

CASES = "cases"
_CONTENT = ("position", "kind", "side", "author", "text", "at")
# Salesforce's categories; others, and those of agents' own cases, are "other".
_CATEGORIES: dict[str, CaseCategory] = {
    "Billing": "billing",
    "Internet line": "internet",
    "SIM": "sim",
    "VPN": "vpn",
    "Order": "order",
    "Account": "account",
}


class CaseMirror:
    """Write and read the mirror."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write_list(self, user_id: UUID, found: Sequence[RemoteCase], *, asked_at: datetime) -> bool:
        """Write a customer's whole list, mark what is not in it as gone, and return whether anything changed."""
        async with self._database.unit_of_work(customer=user_id) as session:
            state = await MirrorState.locked(session, user_id, CASES)
            if state.read_at is not None and state.read_at >= asked_at:
                return False
            rows = await _rows_of(session, user_id)
            changed = [await _write_case(session, user_id, rows, case) for case in found]
            there = {case.sf_case_id for case in found}
            for row in (row for key, row in rows.items() if key == row.sf_case_id):
                # One that Salesforce got while the list was read is in the next list.
                is_gone = row.merged_into is not None or (row.sf_case_id not in there and row.opened_at < asked_at)
                changed.append(is_gone != row.is_gone)
                row.is_gone = is_gone
            state.read_at = asked_at
        return any(changed)

    async def write_cases(self, user_id: UUID, found: Iterable[RemoteCase]) -> list[UUID]:
        """Write some of a customer's cases as they are at Salesforce, and return the ids of those that changed."""
        changed: list[UUID] = []
        async with self._database.unit_of_work(customer=user_id) as session:
            await MirrorState.locked(session, user_id, CASES)
            rows = await _rows_of(session, user_id)
            for case in found:
                if await _write_case(session, user_id, rows, case):
                    changed.append(rows[case.sf_case_id].id)
        return changed

    async def write_ends(self, masters: Mapping[str, str], gone: Sequence[str]) -> list[tuple[UUID, UUID]]:
        """Note which cases were merged into others of the same customer, and which are gone. Only the worker may.

        Return customer and id of those that changed.
        """
        wanted = {*masters, *masters.values(), *gone}
        async with self._database.unit_of_work() as session:
            query = select(CaseRow).where(col(CaseRow.sf_case_id).in_(wanted)).with_for_update()
            rows = {str(row.sf_case_id): row for row in (await session.exec(query)).all()}
            changed: list[tuple[UUID, UUID]] = []
            for sf_case_id, row in rows.items():
                master = rows.get(masters.get(sf_case_id, ""))
                is_merged = master is not None and master.user_id == row.user_id
                if (is_merged or sf_case_id in gone) and not row.is_gone:
                    row.is_gone, row.merged_into = True, master.id if master is not None and is_merged else None
                    changed.append((row.user_id, row.id))
        return changed

    async def write_thread(self, user_id: UUID, case_id: UUID, thread: RemoteThread, *, asked_at: datetime) -> bool:
        """Write a whole thread, unless a later read was written; return whether anything changed."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await CaseRow.locked(session, case_id)
            if row is None or (row.read_at is not None and row.read_at >= asked_at):
                return False
            thread = await with_own_entries(session, row, thread)
            is_same = await _write_entries(session, case_id, list(_entry_rows(row, thread)))
            changed = _update(session, row, thread.case)
            changed |= await write_files(session, row, thread.files)
            # A message of the customer's may have crossed with an answer that they have not seen.
            team = [entry.at for entry in thread.entries if entry.side == "team"]
            row.team_at = max(filter(None, (row.team_at, *team[-1:])), default=None)
            changed |= row.answer_due_at != thread.answer_due_at
            row.answer_due_at, row.read_at = thread.answer_due_at, asked_at
        return changed or not is_same

    async def cases(self, user_id: UUID) -> list[SupportCase]:
        """Return a customer's cases, last activity first."""
        return await self._read(user_id, _shown(user_id))

    async def about(self, user_id: UUID, about: Sequence[str]) -> list[SupportCase]:
        """Return the cases about some things, such as `invoice:12`, last activity first, at most twenty."""
        return await self._read(user_id, _shown(user_id).where(col(CaseRow.about).in_(about)).limit(PAGE))

    async def unread(self, user_id: UUID) -> list[SupportCase]:
        """Return the cases with an answer that the customer has not seen, at most twenty."""
        return await self._read(user_id, _shown(user_id).where(CaseRow.is_unread()).limit(PAGE))

    async def page(self, user_id: UUID, query: CaseQuery, *, as_of: datetime | None) -> CasePage:
        """Return the page of a query that searches for nothing."""
        wanted = _with_status(_shown(user_id), query.status)
        opened = col(CaseRow.opened_at)
        orders = {
            "activity": (col(CaseRow.is_closed), col(CaseRow.last_activity_at).desc()),
            "newest": (opened.desc(),),
            "oldest": (opened,),
        }
        async with self._database.unit_of_work(customer=user_id) as session:
            count = sa.select(sa.func.count()).select_from(wanted.order_by(None).subquery())
            total = int(await (await session.connection()).scalar(count) or 0)
            page = min(query.page, max(1, -(-total // PAGE)))
            rows = wanted.order_by(None).order_by(*orders[query.sort], col(CaseRow.id))
            found = (await session.exec(rows.limit(PAGE).offset((page - 1) * PAGE))).all()
            cases = await _cases_of(session, found)
        return CasePage(tuple(cases), total, page, as_of)

    async def _read(self, user_id: UUID, query: SelectOfScalar[CaseRow]) -> list[SupportCase]:
        async with self._database.unit_of_work(customer=user_id) as session:
            return await _cases_of(session, (await session.exec(query)).all())


def _shown(user_id: UUID) -> SelectOfScalar[CaseRow]:
    """Return the query for a customer's cases, last activity first."""
    return select(CaseRow).where(CaseRow.is_of(user_id)).order_by(col(CaseRow.last_activity_at).desc(), col(CaseRow.id))


def _with_status(query: SelectOfScalar[CaseRow], status: CaseFilter) -> SelectOfScalar[CaseRow]:
    if status == "waiting":
        return query.where(~col(CaseRow.is_closed), CaseRow.last_by == "team")
    return query if status == "all" else query.where(col(CaseRow.is_closed) == (status == "closed"))


async def _cases_of(session: AsyncSession, rows: Sequence[CaseRow]) -> list[SupportCase]:
    unsent = [row.id for row in rows if row.sf_case_id is None]
    refused: set[UUID] = set()
    if unsent:
        query = select(MessageRow.case_id).where(col(MessageRow.case_id).in_(unsent), MessageRow.seq == 0)
        refused = set((await session.exec(query.where(MessageRow.state == "refused"))).all())
    return [case_of_row(row, is_refused=row.id in refused) for row in rows]


def case_of_row(row: CaseRow, *, is_refused: bool = False) -> SupportCase:
    """Return the domain object."""
    # Salesforce's times have whole seconds: what came in the second of the last look may be new.
    is_unread = row.team_at is not None and (row.seen_at is None or _second(row.seen_at) <= row.team_at)
    return SupportCase(
        id=row.id,
        number=row.number,
        subject=row.subject,
        category=cast(CaseCategory, row.category),
        about=About.parse(row.about),
        status=row.status,
        is_closed=row.is_closed,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        last_activity_at=row.last_activity_at,
        last_by=cast(Side, row.last_by),
        is_unread=is_unread,
        is_seen_by_team=row.is_seen_by_team,
        is_sent=row.sf_case_id is not None,
        is_refused=is_refused,
    )


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


async def _rows_of(session: AsyncSession, user_id: UUID) -> dict[str, CaseRow]:
    """Return a customer's rows by their own id, and by Salesforce's."""
    rows = (await session.exec(select(CaseRow).where(CaseRow.user_id == user_id))).all()
    return {str(row.id): row for row in rows} | {row.sf_case_id: row for row in rows if row.sf_case_id}


async def _write_case(session: AsyncSession, user_id: UUID, rows: dict[str, CaseRow], case: RemoteCase) -> bool:
    row = rows.get(case.sf_case_id)
    # Ours whose answer was lost: Salesforce has it, and we learn its id from the list.
    row = row or rows.get(case.reference)
    if row is None:
        row = CaseRow(user_id=user_id, subject=case.subject, opened_at=case.opened_at)
        session.add(row)
    rows[case.sf_case_id] = row
    return _update(session, row, case)


def _update(session: AsyncSession, row: CaseRow, case: RemoteCase) -> bool:
    values = {
        "sf_case_id": case.sf_case_id,
        "number": case.number,
        "subject": case.subject,
        "category": _CATEGORIES.get(case.category, "other"),
        "about": case.about,
        "status": case.status,
        "is_closed": case.is_closed,
        "closed_at": case.closed_at,
        "is_shown": case.is_shown,
        "is_seen_by_team": case.is_seen_by_team,
        "last_by": case.last_by or case.opened_by,
        "threading_id": case.threading_id,
        "is_gone": row.merged_into is not None,
    }
    if values["last_by"] == "team":
        values["team_at"] = max(filter(None, (row.team_at, case.last_activity_at)))
    # What the customer has just written is later than what Salesforce knows.
    if case.last_activity_at >= row.last_activity_at or row.sf_case_id is None or case.last_by == "team":
        values["last_activity_at"] = case.last_activity_at
    elif row.last_by == "customer":
        values.pop("last_by")
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if row.sf_case_id is not None and (what := _status_line(changed, row)):
        at = case.closed_at if what == "closed" else None
        session.add(StatusLineRow(case_id=row.id, user_id=row.user_id, what=what, at=at or now()))
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _status_line(changed: Mapping[str, object], row: CaseRow) -> StatusLine | None:
    """Return the change of status that the thread is to tell, if there is one."""
    if "is_closed" in changed:
        return "closed" if changed["is_closed"] else "reopened"
    return "working" if row.status == "New" and "status" in changed else None


def _entry_rows(row: CaseRow, thread: RemoteThread) -> Iterable[EntryRow]:
    case = thread.case
    opening = Entry(case.sf_case_id, "opening", case.opened_by, "", case.description, case.opened_at)
    for position, entry in enumerate((opening, *thread.entries)):
        yield EntryRow(
            case_id=row.id,
            sf_id=entry.id,
            user_id=row.user_id,
            position=position,
            kind=entry.kind,
            side=entry.side,
            author=entry.author,
            text=entry.text or text_of_html(entry.html),
            at=entry.at,
        )


async def _write_entries(session: AsyncSession, case_id: UUID, found: Sequence[EntryRow]) -> bool:
    """Write what differs and return whether nothing did."""
    rows = (await session.exec(select(EntryRow).where(EntryRow.case_id == case_id))).all()
    known, there = {row.sf_id: row for row in rows}, {row.sf_id for row in found}
    gone = [sf_id for sf_id in known if sf_id not in there]
    other = [row for row in found if row.sf_id not in known or _content(known[row.sf_id]) != _content(row)]
    if gone:
        delete = sa.delete(EntryRow).where(col(EntryRow.case_id) == case_id, col(EntryRow.sf_id).in_(gone))
        await (await session.connection()).execute(delete)
    for row in other:
        if (old := known.get(row.sf_id)) is None:
            session.add(row)
            continue
        for name in _CONTENT:
            setattr(old, name, getattr(row, name))
    return not gone and not other


def _content(row: EntryRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in _CONTENT)
