"""The entries of a thread as its customer sees them: what was read, status changes, and messages on their way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.support.case import Side
from portal_app.domain.support.message import ENTRY_PAGE, Entry, EntryKind, MessageState, Refusal, Solving, split_text
from portal_app.infra.database.database import Database
from portal_app.models.support import CaseRow, EntryRow, MessageRow, StatusLineRow
from portal_app.services.support.thread_files import files_beside

# A message has at most so many comments: one that began on the page before is shown whole.
_MOST_PARTS = 10


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries of a thread, oldest first. `earlier` names the place before which there are more, None at the first.

    `solving` is the customer's wish to close the case that is on its way, `rated_at` when they last rated it.
    """

    entries: tuple[Entry, ...] = ()
    earlier: int | None = None
    solving: Solving | None = None
    rated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Message:
    """What tells which comments carry a message; its text is read only where it is needed."""

    id: UUID
    seq: int
    kind: str
    state: str
    refusal: str
    sf_ids: list[Any]
    created_at: datetime
    send_at: datetime
    sent_at: datetime | None


class ThreadEntries:
    """Read threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, user_id: UUID, case_id: UUID, *, before: int | None = None, most: int = ENTRY_PAGE
    ) -> EntryPage:
        """Return the last entries of a thread, or those before a place that an earlier page named."""
        async with self._database.unit_of_work(customer=user_id) as session:
            row = await CaseRow.own(session, user_id, case_id)
            if row is None:
                return EntryPage()
            messages = await _messages_of(session, case_id)
            read = _whole(await _rows_before(session, case_id, before, most), messages, most)
            earlier = read[0].position if read and read[0].position > 0 else None
            lines = await _status_lines(session, case_id, read, is_first=earlier is None, is_last=before is None)
            waiting = await _waiting(session, row, messages) if before is None else []
            texts = await _texts_of(session, [each.id for each in messages if len(each.sf_ids) > 1])
            shown = sorted((*_joined(read, messages, texts), *lines), key=lambda entry: entry.at)
            claimed = {sf_id for each in messages for sf_id in each.sf_ids}
            entries = await files_beside(session, row, (*shown, *waiting), claimed=claimed, is_first=earlier is None)
        return EntryPage(tuple(entries), earlier, _solving(messages), _rated_at(messages))


async def _rows_before(session: AsyncSession, case_id: UUID, before: int | None, most: int) -> list[EntryRow]:
    query = select(EntryRow).where(EntryRow.case_id == case_id)
    if before is not None:
        query = query.where(EntryRow.position < before)
    rows = (await session.exec(query.order_by(col(EntryRow.position).desc()).limit(most + _MOST_PARTS))).all()
    return list(rows)[::-1]


async def _messages_of(session: AsyncSession, case_id: UUID) -> list[_Message]:
    columns = [getattr(MessageRow, each.name) for each in fields(_Message)]
    query = sa.select(*columns).where(col(MessageRow.case_id) == case_id)
    rows = (await (await session.connection()).execute(query.order_by(col(MessageRow.seq)))).all()
    return [_Message(*row) for row in rows]


def _solving(messages: Sequence[_Message]) -> Solving | None:
    """Return the customer's wish to close the case as long as it is on its way, or was the last word and refused."""
    waiting = [each for each in messages if each.kind == "solved" and each.state in ("queued", "sending")]
    refused = [each for each in messages[-1:] if each.kind == "solved" and each.state == "refused"]
    for wish in (*waiting[-1:], *refused):
        return Solving(wish.id, wish.state == "queued", wish.send_at, is_refused=wish.state == "refused")
    return None


def _rated_at(messages: Iterable[_Message]) -> datetime | None:
    return max((each.created_at for each in messages if each.kind == "rating"), default=None)


async def _texts_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    rows = (await session.exec(select(MessageRow).where(col(MessageRow.id).in_(ids)))).all()
    return {row.id: row.text for row in rows}


async def _status_lines(
    session: AsyncSession, case_id: UUID, read: Sequence[EntryRow], *, is_first: bool, is_last: bool
) -> list[Entry]:
    """Return the changes of status in the time that a page spans."""
    query = select(StatusLineRow).where(StatusLineRow.case_id == case_id)
    if read and not is_first:
        query = query.where(StatusLineRow.at >= read[0].at)
    if read and not is_last:
        query = query.where(StatusLineRow.at < read[-1].at)
    rows = (await session.exec(query.order_by(col(StatusLineRow.at)))).all()
    return [Entry(str(row.id), "status", "team", "", row.what, row.at) for row in rows]


async def _waiting(session: AsyncSession, row: CaseRow, messages: Sequence[_Message]) -> list[Entry]:
    """Return the messages that Salesforce does not show yet."""
    query = select(EntryRow.sf_id).where(EntryRow.case_id == row.id)
    read = set((await session.exec(query)).all())
    ids = [each.id for each in messages if not _is_read(row, each, read) and each.state != "withdrawn"]
    if not ids:
        return []
    found = await session.exec(select(MessageRow).where(col(MessageRow.id).in_(ids)).order_by(col(MessageRow.seq)))
    return [_own_entry(message) for message in found.all() if message.kind == "text"]


def _is_read(row: CaseRow, message: _Message, read: set[str]) -> bool:
    """Say whether the thread as read shows a message, or was read after it was sent and does not show it any more."""
    if message.seq == 0:
        return row.sf_case_id in read
    if any(sf_id in read for sf_id in message.sf_ids):
        return True
    return message.state == "sent" and row.read_at is not None and (message.sent_at or row.read_at) < row.read_at


def _own_entry(message: MessageRow) -> Entry:
    return Entry(
        id=str(message.id),
        kind="opening" if message.seq == 0 else "comment",
        side="customer",
        author="",
        text=message.text,
        at=message.created_at,
        state=cast(MessageState, message.state),
        refusal=cast(Refusal, message.refusal) if message.refusal else None,
        send_at=message.send_at,
    )


def _whole(rows: list[EntryRow], messages: Iterable[_Message], most: int) -> list[EntryRow]:
    """Return the last rows of a page, and those before them that belong to the same message as the first."""
    first = max(0, len(rows) - most)
    parts = {sf_id: message.id for message in messages for sf_id in message.sf_ids}
    while first and parts.get(rows[first].sf_id, rows[first].sf_id) == parts.get(rows[first - 1].sf_id):
        first -= 1
    return rows[first:]


def _joined(read: Sequence[EntryRow], messages: Sequence[_Message], texts: dict[UUID, str]) -> list[Entry]:
    """Return the rows of a page, each message of several comments as one entry."""
    parts = {sf_id: message.id for message in messages for sf_id in message.sf_ids}
    of_message: dict[UUID, list[str]] = {}
    for row in read:
        if row.sf_id in parts:
            of_message.setdefault(parts[row.sf_id], []).append(row.text)
    found: list[Entry] = []
    for row in read:
        message = parts.get(row.sf_id)
        own = of_message.pop(message, None) if message else [row.text]
        if own is None:
            continue
        kind, side = cast(EntryKind, row.kind), cast(Side, row.side)
        text = _text_of(own, texts.get(message or UUID(int=0)))
        found.append(_with_state(Entry(row.sf_id, kind, side, row.author, text, row.at), messages))
    return found


def _with_state(entry: Entry, messages: Sequence[_Message]) -> Entry:
    """Return the opening as what it is as long as Salesforce has its words, and not its files; others as they are."""
    opening = next((each for each in messages if each.seq == 0 and each.state != "sent"), None)
    if entry.kind != "opening" or opening is None:
        return entry
    state, refusal = cast(MessageState, opening.state), cast(Refusal, opening.refusal) if opening.refusal else None
    return replace(entry, id=str(opening.id), state=state, refusal=refusal, send_at=opening.send_at)


def _text_of(parts: list[str], written: str | None) -> str:
    """Return the text of a message as it was written, unless agents changed or removed some of its comments."""
    if written is not None and list(split_text(written)) == parts:
        return written
    return "\n\n".join(parts)
