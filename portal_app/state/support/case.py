"""One support case: the conversation, and the box to reply."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

import reflex as rx

from portal_app.domain.errors import Conflict, InvalidInput
from portal_app.domain.idempotency import REPLY_TO_CASE, Call, Claim
from portal_app.domain.identifiers import our_id
from portal_app.domain.support.message import COMMENT_BYTES, LONGEST_REPLY_BYTES, Entry, Thread, parse_reply
from portal_app.language import _, path_for
from portal_app.language.format import duration, time
from portal_app.state.shell.error_reporting import report_errors
from portal_app.state.shell.page_state import PageState
from portal_app.state.support.files import FileRow, UploadPlace, files_of, uploads_of
from portal_app.state.support.words import about_of, author_of, category_of, progress_of, turn_of
from portal_app.wiring.portal import portal

_DAY = 86400


@dataclass(frozen=True)
class EntryRow:
    """One entry of the conversation."""

    id: str
    author: str
    is_own: bool
    text: str
    at: str
    note: str
    tone: str
    can_take_back: bool
    is_refused: bool
    files: list[FileRow]
    small_files: list[FileRow]
    small_words: str


class CasePage(PageState, rx.State):
    """The conversation and the reply."""

    topics: ClassVar[frozenset[str]] = frozenset({"support", "account"})

    subject: str = ""
    number: str = ""
    word: str = ""
    tone: str = ""
    category: str = ""
    about: str = ""
    about_href: str = ""
    opened: str = ""
    seen_note: str = ""
    entries: list[EntryRow] = []
    rule: str = ""
    can_reply: bool = True
    follow_href: str = ""
    draft: str = ""
    draft_note: str = ""
    box: int = 0
    uploading: UploadPlace = UploadPlace()
    errors: dict[str, str] = {}
    announcement: str = ""
    _case: str = ""
    _draft_version: int = 0
    _known: list[str] = []
    _key: str = ""

    async def _open_page(self) -> None:
        """Read the conversation and the draft."""
        self._case, self._known, self._key = str(our_id(self._last_part())), [], uuid4().hex
        self.errors = await portal().flash_messages.read(self._query("flash"))
        self.announcement = self.draft_note = ""
        await self._read_page()
        customer = await self._customer()
        found = await portal().support.conversation.draft(customer.user_id, self._case)
        self.draft, self._draft_version, self.box = found.content, found.version, self.box + 1
        self.uploading = UploadPlace.for_draft(self._case, self.box)

    async def _read_page(self) -> None:
        """Read the conversation."""
        if not self._case:
            return
        customer, cases = await self._customer(), portal().support.cases
        thread = await cases.thread(customer, our_id(self._case))
        await cases.mark_seen(customer, thread.case.id)
        self._show(thread)

    def _show(self, thread: Thread) -> None:
        case, turn = thread.case, turn_of(thread.case)
        self._note_saved(thread.as_of)
        self.subject, self.number = case.subject, case.number or _("follows as soon as it is sent")
        self.word, self.tone, self.category = turn.word, turn.tone, category_of(case.category)
        (self.about, self.about_href), self.opened = about_of(case.about), time(case.opened_at)
        # Salesforce marks unread comments, not an unread case: before a first answer nothing says that it was opened.
        has_answer = any(entry.side == "team" for entry in thread.entries)
        self.seen_note = _("Our team has seen your messages.") if has_answer and case.is_seen_by_team else ""
        self.can_reply = thread.can_be_reopened
        self.rule = _rule(thread)
        self.follow_href = path_for(f"/support/new?follows={case.id}")
        new = [entry for entry in thread.entries if entry.id not in self._known and entry.side == "team"]
        if self._known and new:
            self.announcement = _("New message from {name}").format(name=author_of(new[-1]))
        self._known = [entry.id for entry in thread.entries]
        self.entries = [_row(entry, self._case) for entry in thread.entries]

    @rx.event
    @report_errors
    async def save_draft(self, text: str):
        """Save what is typed. Text that was saved on another device meanwhile is not overwritten."""
        if not isinstance(text, str) or len(text.encode()) > LONGEST_REPLY_BYTES:
            return
        customer, saved = await self._customer(), portal().support.conversation.save_draft
        try:
            self._draft_version = await saved(customer.user_id, self._case, text, version=self._draft_version)
            self.draft_note = _size_note(text) or _("Draft saved")
        except Conflict:
            other = await portal().support.conversation.draft(customer.user_id, self._case)
            self._draft_version = other.version
            self.draft_note = _("Another device has this draft too: {text}").format(text=other.content)

    @rx.event
    @report_errors
    async def send(self, form: dict[str, Any]):
        """Take the message; the conversation shows it at once."""
        try:
            text, uploads = parse_reply(str(form.get("text") or "")), uploads_of(form)
        except InvalidInput as error:
            self.errors = {name: _(words) for name, words in error.fields.items()}
            return
        customer, case_id = await self._customer(), our_id(self._case)
        call = Call(customer.user_id, REPLY_TO_CASE, self._key, "\n".join((str(case_id), *map(str, uploads), text)))

        async def reply(claim: Claim) -> str:
            return await portal().support.conversation.reply(customer, case_id, text, claim=claim, uploads=uploads)

        await portal().idempotency.once_shared(call, reply, status=201)
        self.errors, self.draft, self._draft_version, self.draft_note = {}, "", 0, ""
        self._key, self.box = uuid4().hex, self.box + 1
        self.uploading = UploadPlace.for_draft(self._case, self.box)
        await self._read_page()

    @rx.event
    @report_errors
    async def take_back(self, message_id: str):
        """Take a message back into the box before it is sent."""
        text = await portal().support.conversation.withdraw(await self._customer(), our_id(message_id))
        self.draft, self.box = text, self.box + 1
        self.uploading = UploadPlace.for_draft(self._case, self.box)
        await self._read_page()

    @rx.event
    @report_errors
    async def try_again(self, message_id: str):
        """Send again what was not accepted."""
        await portal().support.conversation.retry(await self._customer(), our_id(message_id))
        await self._read_page()


def _row(entry: Entry, case_id: str) -> EntryRow:
    (note, tone), files = progress_of(entry), files_of(entry, case_id)
    return EntryRow(
        id=entry.id,
        author=author_of(entry),
        is_own=entry.side == "customer",
        # The name of a file that stands alone is in its list.
        text="" if entry.kind == "file" else entry.text,
        at=time(entry.at),
        note=note,
        tone=tone,
        can_take_back=entry.state == "queued" and entry.kind != "opening",
        is_refused=entry.state == "refused",
        files=files.shown,
        small_files=files.small,
        small_words=files.small_words,
    )


def _rule(thread: Thread) -> str:
    if not thread.case.is_closed:
        return ""
    days = duration(portal().settings.portal_reopen_days * _DAY)
    if thread.can_be_reopened:
        return _("This case is closed. A reply reopens it, up to {days} after its end.").format(days=days)
    return _("This case was closed more than {days} ago. A new case will refer to it.").format(days=days)


def _size_note(text: str) -> str:
    size = len(text.encode())
    if size <= COMMENT_BYTES * 3 // 4:
        return ""
    parts = -(-size // COMMENT_BYTES)
    return _("Long message: it is sent in {count} parts.").format(count=parts) if parts > 1 else ""
