"""One support case: the conversation, and the box to reply."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

import reflex as rx

from portal_app.domain.errors import Conflict, InvalidInput, SecretsFound
from portal_app.domain.idempotency import RATE_CASE, REPLY_TO_CASE, SOLVE_CASE, Call, Claim
from portal_app.domain.identifiers import our_id
from portal_app.domain.support.message import ENTRY_PAGE, LONGEST_REPLY_BYTES, Entry, Thread, parse_reply
from portal_app.domain.support.rating import Rating
from portal_app.domain.support.secrets import refuse_secrets
from portal_app.language import _, path_for
from portal_app.language.format import duration, time
from portal_app.state.shell.error_reporting import handler, language_of
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.upload_place import UploadPlace
from portal_app.state.support.files import FileRow, files_of, uploads_of
from portal_app.state.support.words import (
    about_of,
    answer_words,
    author_of,
    category_of,
    progress_of,
    saved_words,
    secrets_words,
    seen_words,
    status_line_of,
    turn_of,
)
from portal_app.wiring.portal import portal

_DAY = 86400
_MOST_SHOWN = 2000


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
    quoted: str
    is_line: bool
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
    copy_href: str = ""
    earlier: bool = False
    answer: str = ""
    can_solve: bool = False
    solving: str = ""
    can_undo_solving: bool = False
    is_solving_refused: bool = False
    rating: str = "none"
    secrets_note: str = ""
    draft: str = ""
    saved: str = ""
    other_draft: str = ""
    box: int = 0
    uploading: UploadPlace = UploadPlace()
    errors: dict[str, str] = {}
    announcement: str = ""
    _case: str = ""
    _draft_version: int = 0
    _known: list[str] = []
    _key: str = ""
    _most: int = ENTRY_PAGE
    _asked_about: list[str] = []

    async def _open_page(self) -> str | None:
        """Read the conversation and the draft. A case that agents merged into another leads there."""
        self._case, self._known, self._key = str(our_id(self._last_part())), [], uuid4().hex
        self.errors = await portal().flash_messages.read(self._query("flash"))
        self.announcement = self.other_draft = ""
        self._most, self.secrets_note, self._asked_about = ENTRY_PAGE, "", []
        if (master := await self._read_page()) is not None:
            return master
        customer = await self._customer()
        found = await portal().support.conversation.draft(customer.user_id, self._case)
        self._show_draft(found.content, found.version)
        return None

    def _show_draft(self, content: str, version: int) -> None:
        self.draft = self.saved = content
        self._draft_version, self.other_draft, self.box = version, "", self.box + 1
        self.uploading = UploadPlace.for_draft(self._case, self.box)

    async def _read_page(self) -> str | None:
        """Read the conversation."""
        if not self._case:
            return None
        customer, cases = await self._customer(), portal().support.cases
        thread = await cases.thread(customer, our_id(self._case), most=self._most)
        if thread.merged_into is not None:
            return path_for(f"/support/cases/{thread.merged_into}", language_of(self))
        await cases.mark_seen(customer, thread.case.id)
        self._show(thread)
        return None

    def _show(self, thread: Thread) -> None:
        case, turn = thread.case, turn_of(thread.case)
        self.saved_note = saved_words(thread.as_of)
        self.subject, self.number = case.subject, case.number or _("follows as soon as it is sent")
        self.word, self.tone, self.category = turn.word, turn.tone, category_of(case.category)
        (self.about, self.about_href), self.opened = about_of(case.about), time(case.opened_at)
        self.seen_note = seen_words(thread)
        self.can_reply = thread.can_be_reopened and not case.is_refused
        self.earlier, self.answer, self.rating = thread.earlier is not None, answer_words(thread.answer), thread.rating
        self.solving = str(thread.solving.id) if thread.solving else ""
        self.can_undo_solving = thread.solving is not None and thread.solving.is_queued
        self.is_solving_refused = thread.solving is not None and thread.solving.is_refused and not case.is_closed
        self.can_solve = not case.is_closed and case.is_sent and thread.solving is None
        self.rule = _rule(thread)
        self.follow_href = path_for(f"/support/new?follows={case.id}")
        self.copy_href = f"/api/cases/{case.id}/conversation"
        new = [entry for entry in thread.entries if entry.id not in self._known and entry.side == "team"]
        if self._known and new:
            self.announcement = _("New message from {name}").format(name=author_of(new[-1]))
        self._known = [entry.id for entry in thread.entries]
        self.entries = [_row(entry, self._case) for entry in thread.entries]

    @handler
    async def save_draft(self, text: str, box: int):
        """Save what is typed in a box. Text that was saved on another device meanwhile is not overwritten."""
        if not isinstance(text, str) or len(text.encode()) > LONGEST_REPLY_BYTES:
            return
        # What was typed right before the box was emptied or filled comes late: it is no draft any more.
        if box != self.box:
            return
        customer, conversation = await self._customer(), portal().support.conversation
        try:
            saved = conversation.save_draft(customer.user_id, self._case, text, version=self._draft_version)
            self._draft_version, self.saved, self.other_draft = await saved, text, ""
        except Conflict:
            other = await conversation.draft(customer.user_id, self._case)
            self._draft_version = other.version
            self.other_draft = _("Another device has this draft too: {text}").format(text=other.content)

    @handler
    async def send(self, form: dict[str, Any]):
        """Take the message; the conversation shows it at once."""
        try:
            text, uploads = parse_reply(str(form.get("text") or "")), uploads_of(form)
            refuse_secrets(text, confirmed=False, known=self._asked_about)
        except InvalidInput as error:
            self.errors = {name: _(words) for name, words in error.fields.items()}
            return
        except SecretsFound as error:
            self.errors, self._asked_about, self.secrets_note = {}, list(error.kinds), secrets_words(error.kinds)
            return
        customer, case_id = await self._customer(), our_id(self._case)
        call = Call(customer.user_id, REPLY_TO_CASE, self._key, "\n".join((str(case_id), *map(str, uploads), text)))

        async def reply(claim: Claim) -> str:
            return await portal().support.conversation.reply(customer, case_id, text, claim=claim, uploads=uploads)

        await portal().idempotency.once_shared(call, reply, status=201)
        self.errors, self.secrets_note, self._asked_about, self._key = {}, "", [], uuid4().hex
        self._show_draft("", 0)
        await self._read_page()

    @handler
    async def take_back(self, message_id: str, typed: str):
        """Take a message back into the box before it is sent, before what is typed there by now."""
        customer, conversation = await self._customer(), portal().support.conversation
        known = typed[:LONGEST_REPLY_BYTES] if isinstance(typed, str) else ""
        found = await conversation.withdraw(customer, our_id(self._case), our_id(message_id), typed=known)
        self._show_draft(found.content, found.version)
        await self._read_page()

    @handler
    async def show_earlier(self):
        """Show what stands before the first entry."""
        self._most = min(self._most + ENTRY_PAGE, _MOST_SHOWN)
        await self._read_page()

    @handler
    async def show_all(self):
        """Show the whole conversation, as far as a page holds it: for paper."""
        self._most = _MOST_SHOWN
        await self._read_page()

    @handler
    async def solve(self):
        """Close the case; for some seconds that can be taken back."""
        customer, case_id = await self._customer(), our_id(self._case)

        async def solve(claim: Claim) -> str:
            return await portal().support.conversation.solve(customer, case_id, claim=claim)

        await self._once(Call(customer.user_id, SOLVE_CASE, self._key, str(case_id)), solve)

    @handler
    async def undo_solving(self):
        """Keep the case open."""
        await portal().support.conversation.withdraw(await self._customer(), our_id(self._case), our_id(self.solving))
        await self._read_page()

    @handler
    async def rate(self, form: dict[str, Any]):
        """Say how the case was handled."""
        try:
            rating = Rating.parse(grade=str(form.get("grade") or ""), words=str(form.get("words") or ""))
        except InvalidInput as error:
            self.errors = {name: _(words) for name, words in error.fields.items()}
            return
        self.errors = {}
        customer, case_id = await self._customer(), our_id(self._case)

        async def rate(claim: Claim) -> str:
            return await portal().support.conversation.rate(customer, case_id, rating, claim=claim)

        await self._once(Call(customer.user_id, RATE_CASE, self._key, f"{case_id}\n{rating}"), rate)

    async def _once(self, call: Call, work: Callable[[Claim], Awaitable[str]]) -> None:
        try:
            await portal().idempotency.once_shared(call, work, status=201)
        finally:
            self._key = uuid4().hex
            await self._read_page()

    @handler
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
        text=_text_of(entry),
        quoted=entry.quoted,
        is_line=entry.kind == "status",
        at=time(entry.at),
        note=note,
        tone=tone,
        can_take_back=entry.state == "queued" and entry.kind != "opening",
        is_refused=entry.state == "refused",
        files=files.shown,
        small_files=files.small,
        small_words=files.small_words,
    )


def _text_of(entry: Entry) -> str:
    if entry.kind == "status":
        return status_line_of(entry.text)
    # The name of a file that stands alone is in its list.
    return "" if entry.kind == "file" else entry.own_text


def _rule(thread: Thread) -> str:
    if thread.case.is_refused:
        return _("This question has not reached our team. Try again above, or open a new case.")
    if not thread.case.is_closed:
        return ""
    days = duration(portal().settings.portal_reopen_days * _DAY)
    if thread.can_be_reopened:
        return _("This case is closed. A reply reopens it, up to {days} after its end.").format(days=days)
    return _("This case was closed more than {days} ago. A new case will refer to it.").format(days=days)
