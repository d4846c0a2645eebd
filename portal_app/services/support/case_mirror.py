"""The mirror of support cases: a customer's whole list, or one whole thread, in the order in which the reads began."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.ports.support import RemoteCase, RemoteThread
from portal_app.domain.support.case import About, CaseCategory, Side, SupportCase
from portal_app.domain.support.message import Entry, EntryKind
from portal_app.infra.database.database import Database
from portal_app.infra.security.mail_html import text_of_html
from portal_app.models.mirror import MirrorState
from portal_app.models.support import CaseRow, EntryRow, MessageRow
from portal_app.services.support.thread_files import files_beside, with_own_entries, write_files

CASES = "cases"
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
            for row in rows.values():
                # One that Salesforce got while the list was read is in the next list.
                is_gone = bool(row.sf_case_id) and row.sf_case_id not in there and row.opened_at < asked_at
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
                    changed.append(next(row.id for row in rows.values() if row.sf_case_id == case.sf_case_id))
        return changed

    async def write_thread(self, user_id: UUID, case_id: UUID, thread: RemoteThread, *, asked_at: datetime) -> bool:
        """Write a whole thread, unless a later read was written; return whether anything changed."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await CaseRow.locked(session, case_id)
            if row is None or (row.read_at is not None and row.read_at >= asked_at):
                return False
            thread = await with_own_entries(session, row, thread)
            before = await _entries_of(session, case_id)
            found = list(_entry_rows(row, thread))
            is_same = [_content(each) for each in before] == [_content(each) for each in found]
            if not is_same:
                await (await session.connection()).execute(sa.delete(EntryRow).where(col(EntryRow.case_id) == case_id))
                session.expunge_all()
                row = await CaseRow.locked(session, case_id)
                session.add_all(found)
            changed = _update(row, thread.case) if row else False
            if row is not None:
                changed = await write_files(session, row, thread.files) or changed
                row.read_at = asked_at
        return changed or not is_same

    async def cases(self, user_id: UUID) -> list[SupportCase]:
        """Return a customer's cases, last activity first."""
        query = select(CaseRow).where(CaseRow.user_id == user_id, col(CaseRow.is_shown), ~col(CaseRow.is_gone))
        query = query.order_by(col(CaseRow.last_activity_at).desc(), col(CaseRow.id))
        async with self._database.unit_of_work(customer=user_id) as session:
            return [case_of_row(row) for row in (await session.exec(query)).all()]

    async def entries(self, user_id: UUID, case_id: UUID) -> list[Entry]:
        """Return a thread as last read, with the customer's messages that Salesforce does not show yet."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await CaseRow.own(session, user_id, case_id)
            if row is None:
                return []
            read = await _entries_of(session, case_id)
            query = select(MessageRow).where(MessageRow.case_id == case_id).order_by(col(MessageRow.seq))
            messages = (await session.exec(query)).all()
            return await files_beside(session, row, _joined(row, read, messages), messages)


def case_of_row(row: CaseRow) -> SupportCase:
    """Return the domain object."""
    # Salesforce's times have whole seconds: what came in the second of the last look may be new.
    is_unread = row.last_by == "team" and (row.seen_at is None or _second(row.seen_at) <= row.last_activity_at)
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
    )


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


async def _rows_of(session: AsyncSession, user_id: UUID) -> dict[str, CaseRow]:
    """Return a customer's rows by their own id."""
    rows = (await session.exec(select(CaseRow).where(CaseRow.user_id == user_id))).all()
    return {str(row.id): row for row in rows}


async def _write_case(session: AsyncSession, user_id: UUID, rows: dict[str, CaseRow], case: RemoteCase) -> bool:
    row = next((each for each in rows.values() if each.sf_case_id == case.sf_case_id), None)
    # Ours whose answer was lost: Salesforce has it, and we learn its id from the list.
    row = row or rows.get(case.reference)
    if row is None:
        row = CaseRow(user_id=user_id, subject=case.subject, opened_at=case.opened_at)
        rows[str(row.id)] = row
        session.add(row)
    return _update(row, case)


def _update(row: CaseRow, case: RemoteCase) -> bool:
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
        "is_gone": False,
    }
    # What the customer has just written is later than what Salesforce knows.
    if case.last_activity_at >= row.last_activity_at or row.sf_case_id is None or case.last_by == "team":
        values["last_activity_at"] = case.last_activity_at
    elif row.last_by == "customer":
        values.pop("last_by")
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


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


async def _entries_of(session: AsyncSession, case_id: UUID) -> list[EntryRow]:
    query = select(EntryRow).where(EntryRow.case_id == case_id).order_by(col(EntryRow.position))
    return list((await session.exec(query)).all())


def _content(row: EntryRow) -> tuple[object, ...]:
    return row.sf_id, row.position, row.kind, row.side, row.author, row.text, row.at


def _joined(row: CaseRow, read: Sequence[EntryRow], messages: Sequence[MessageRow]) -> list[Entry]:
    """Return what was read, each message of several comments as one entry, then what Salesforce does not show yet."""
    parts = {sf_id: message for message in messages for sf_id in message.sf_ids}
    shown: set[UUID] = set()
    found: list[Entry] = []
    for each in read:
        message = parts.get(each.sf_id)
        if message is not None and message.id in shown:
            continue
        text = message.text if message is not None else each.text
        if message is not None:
            shown.add(message.id)
        kind, side = cast(EntryKind, each.kind), cast(Side, each.side)
        found.append(Entry(each.sf_id, kind, side, each.author, text, each.at))
    has_opening = any(each.kind == "opening" for each in read)
    for message in messages:
        if message.state == "withdrawn" or message.id in shown or _is_read(row, message, has_opening):
            continue
        kind = "opening" if message.seq == 0 else "comment"
        found.append(
            Entry(
                id=str(message.id),
                kind=cast(EntryKind, kind),
                side="customer",
                author="",
                text=message.text,
                at=message.created_at,
                state=message.state,  # type: ignore[arg-type]
                refusal=message.refusal or None,  # type: ignore[arg-type]
                send_at=message.send_at,
            )
        )
    return found


def _is_read(row: CaseRow, message: MessageRow, has_opening: bool) -> bool:
    """Say whether a thread read after it was sent shows a message, though not under an id that we know."""
    if message.seq == 0:
        return has_opening
    return message.state == "sent" and row.read_at is not None and (message.sent_at or row.read_at) < row.read_at
