"""The files of a thread: which of them a customer may see, kept with the mirror, shown beside their messages."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal_app.domain.ports.files import LinkedFile
from portal_app.domain.ports.support import RemoteThread
from portal_app.domain.support.message import Entry, EntryFile
from portal_app.models.support import CaseRow, EntryRow, MessageRow
from portal_app.models.upload import CaseFileRow, UploadRow


async def with_own_entries(session: AsyncSession, row: CaseRow, thread: RemoteThread) -> RemoteThread:
    """Return a thread with only the files that the customer may see; those of no message are entries of their own."""
    own = await own_documents(session, row.user_id)
    # The same file can be linked to the case and to a mail: it stands beside the mail.
    by_document = {
        file.document_id: file for file in sorted(thread.files, key=lambda each: each.entry != row.sf_case_id)
    }
    shown = [file for file in by_document.values() if file.is_public or file.document_id in own]
    alone = [_entry_of(file) for file in shown if file.entry == row.sf_case_id and file.document_id not in own]
    entries = sorted((*thread.entries, *alone), key=lambda each: (each.at, each.id))
    return replace(thread, entries=tuple(entries), files=tuple(shown))


async def write_files(session: AsyncSession, row: CaseRow, files: Sequence[LinkedFile]) -> bool:
    """Write the files of a case as they were read; return whether anything changed."""
    before = {each.sf_document_id: each for each in await _files_of(session, row.id)}
    found = {file.document_id: file for file in files}
    gone = [document for document in before if document not in found]
    changed = [file for file in files if _content(before.get(file.document_id)) != (file.entry, file.name, file.size)]
    if stale := [*gone, *(file.document_id for file in changed)]:
        delete = sa.delete(CaseFileRow).where(
            col(CaseFileRow.case_id) == row.id, col(CaseFileRow.sf_document_id).in_(stale)
        )
        await (await session.connection()).execute(delete)
        for document in stale:
            if document in before:
                session.expunge(before[document])
    for file in changed:
        session.add(
            CaseFileRow(
                case_id=row.id,
                sf_document_id=file.document_id,
                user_id=row.user_id,
                entry=file.entry,
                name=file.name,
                size=file.size,
                at=file.at,
            )
        )
    return bool(gone or changed)


async def files_beside(
    session: AsyncSession, row: CaseRow, entries: Sequence[Entry], *, claimed: Collection[str], is_first: bool
) -> list[Entry]:
    """Return the entries of a page with their files: those that Salesforce shows, and the customer's own until then.

    `claimed` are the comments of which the message is known. `is_first`: the page begins with the opening.
    """
    messages = await _messages_with_files(session, row)
    uploads, read = await _uploads_of(session, list(messages)), await _files_of(session, row.id)
    if not entries or not (uploads or read):
        return list(entries)
    entry_of = _entries_of_messages(row, entries, list(messages.values()), claimed)
    on_page, in_thread = {entry.id for entry in entries}, await _entry_ids(session, row.id)
    beside: defaultdict[str, list[EntryFile]] = defaultdict(list)
    by_document = {each.sf_document_id: each for each in uploads if each.sf_document_id}
    for file in read:
        upload = by_document.get(file.sf_document_id)
        ids = {file.sf_document_id if file.entry == row.sf_case_id else file.entry}
        if upload is not None and upload.message_id is not None:
            ids = {entry_of.get(upload.message_id, ""), *messages[upload.message_id].sf_ids}
        place = next(iter(ids & on_page), None)
        if place is None and is_first and not ids & in_thread:
            # Where its message is not known any more, it stands with the opening of the case.
            place = entries[0].id
        if place is not None:
            beside[place].append(EntryFile(file.sf_document_id, file.name, file.size))
    there = {file.sf_document_id for file in read}
    for upload in uploads:
        place = entry_of.get(upload.message_id)
        if place is not None and upload.sf_document_id not in there:
            beside[place].append(EntryFile("", upload.name, upload.size, upload.state, upload.refusal))
    return [replace(entry, files=tuple(beside[entry.id])) if entry.id in beside else entry for entry in entries]


async def own_documents(session: AsyncSession, user_id: UUID) -> set[str]:
    """Return the documents that a customer uploaded here: they are the customer's whatever Salesforce says."""
    query = select(UploadRow.sf_document_id).where(
        UploadRow.user_id == user_id, col(UploadRow.sf_document_id).is_not(None)
    )
    return {str(each) for each in (await session.exec(query)).all()}


def _entry_of(file: LinkedFile) -> Entry:
    return Entry(file.document_id, "file", "team", "", file.name, file.at)


def _entries_of_messages(
    row: CaseRow, entries: Sequence[Entry], messages: Iterable[MessageRow], claimed: Collection[str]
) -> dict[UUID | None, str]:
    """Return the entry that shows each message: by Salesforce's ids, by ours, or else by its words."""
    known = {entry.id for entry in entries}
    found: dict[UUID | None, str] = {}
    for message in messages:
        place = next((each for each in (*message.sf_ids, str(message.id)) if each in known), None)
        if message.seq == 0 and message.case_id == row.id and place is None:
            place = next((entry.id for entry in entries if entry.kind == "opening"), None)
        elif place is None:
            # Where agents changed its comment after a lost answer, nobody told us the comment's id.
            free = (entry for entry in entries if entry.id not in claimed and entry.id not in found.values())
            place = next((entry.id for entry in free if _begins(entry, message)), None)
        if place is not None:
            found[message.id] = place
    return found


def _begins(entry: Entry, message: MessageRow) -> bool:
    """Say whether an entry begins as a message does: a long one is shown by its first comment."""
    is_own = entry.side == "customer" and entry.kind == "comment"
    return is_own and bool(entry.text) and message.text.startswith(entry.text)


async def _messages_with_files(session: AsyncSession, row: CaseRow) -> dict[UUID, MessageRow]:
    """Return the messages with files of a case, and of those that agents merged into it, by id."""
    merged = select(CaseRow.id).where(CaseRow.merged_into == row.id)
    query = select(MessageRow).where(
        sa.or_(col(MessageRow.case_id) == row.id, col(MessageRow.case_id).in_(merged)),
        col(MessageRow.id).in_(select(UploadRow.message_id).where(UploadRow.user_id == row.user_id)),
        MessageRow.state != "withdrawn",
    )
    return {message.id: message for message in (await session.exec(query.order_by(col(MessageRow.seq)))).all()}


async def _uploads_of(session: AsyncSession, messages: Sequence[UUID]) -> list[UploadRow]:
    if not messages:
        return []
    query = select(UploadRow).where(col(UploadRow.message_id).in_(messages), UploadRow.state != "duplicate")
    return list((await session.exec(query.order_by(col(UploadRow.created_at), col(UploadRow.position)))).all())


async def _entry_ids(session: AsyncSession, case_id: UUID) -> set[str]:
    return set((await session.exec(select(EntryRow.sf_id).where(EntryRow.case_id == case_id))).all())


async def _files_of(session: AsyncSession, case_id: UUID) -> list[CaseFileRow]:
    query = select(CaseFileRow).where(CaseFileRow.case_id == case_id)
    query = query.order_by(col(CaseFileRow.at), col(CaseFileRow.sf_document_id))
    return list((await session.exec(query)).all())


def _content(row: CaseFileRow | None) -> tuple[str, str, int] | None:
    return (row.entry, row.name, row.size) if row else None
