"""A new support case, with what it is about filled in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

import reflex as rx

from portal_app.domain.errors import Conflict, ExternalError, InvalidInput, SecretsFound
from portal_app.domain.idempotency import OPEN_CASE, Call, Claim
from portal_app.domain.identifiers import our_id
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import LONGEST_SUBJECT, LONGEST_TEXT, About, CaseCategory, NewCase
from portal_app.domain.support.context import context_text
from portal_app.domain.support.message import NEW_CASE_DRAFT
from portal_app.domain.support.secrets import refuse_secrets
from portal_app.infra.clock import now
from portal_app.language import _, path_for
from portal_app.language.format import time
from portal_app.state.shell.error_reporting import handler, language_of
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.upload_place import UploadPlace
from portal_app.state.status.incidents import IncidentNotices
from portal_app.state.support.files import uploads_of
from portal_app.state.support.words import CATEGORY_WORDS, about_of, fact_words, secrets_words
from portal_app.wiring.portal import portal

_CATEGORIES: dict[str, CaseCategory] = {"invoice": "billing", "order": "order", "line": "sim"}
# Somebody who asked about the same thing so lately may have forgotten it.
_LATELY = timedelta(days=3)


@dataclass(frozen=True)
class FactRow:
    """One fact that goes along."""

    label: str
    value: str


class NewCasePage(PageState, rx.State):
    """The form of a new case."""

    # What is announced above the form; the form itself is never read again.
    topics: ClassVar[frozenset[str]] = frozenset({"incidents"})
    parts: ClassVar[Mapping[str, type[rx.State]]] = {"incidents": IncidentNotices}

    categories: list[list[str]] = []
    category: str = ""
    about: str = ""
    about_href: str = ""
    facts: list[FactRow] = []
    same_href: str = ""
    same_subject: str = ""
    same_words: str = ""
    subject: str = ""
    text: str = ""
    saved_subject: str = ""
    saved_text: str = ""
    other_draft: str = ""
    secrets_note: str = ""
    box: int = 0
    errors: dict[str, str] = {}
    uploading: UploadPlace = UploadPlace()
    _about: str = ""
    _context: str = ""
    _follows: str = ""
    _key: str = ""
    _draft: dict[str, str] = {}
    _draft_version: int = 0
    _is_taken: bool = False
    _asked_about: list[str] = []

    async def _open_page(self) -> None:
        """Read what is asked about, and what was typed before."""
        await self._read_page()
        customer = await self._customer()
        found = await portal().support.conversation.draft(customer.user_id, NEW_CASE_DRAFT)
        self._draft, self._draft_version = _parsed(found.content), found.version
        self.subject = self.saved_subject = self._draft.get("subject", "")
        self.text = self.saved_text = self._draft.get("text", "")
        self.errors, self.other_draft, self.secrets_note, self._asked_about = {}, "", "", []
        self._key, self.box, self._is_taken = uuid4().hex, self.box + 1, False
        self.uploading = UploadPlace.for_draft(NEW_CASE_DRAFT, self.box)

    async def _read_page(self) -> None:
        """Take what the case is about from the address."""
        await (await self.get_state(IncidentNotices))._fill()
        customer = await self._customer()
        about = About.parse(self._query("about"))
        self._about, self._follows = str(about or ""), self._query("follows")
        self.about, self.about_href = about_of(about)
        self.category = _CATEGORIES.get(about.kind, "") if about else ""
        self.categories = [["", _("Choose one")], *([name, _(words)] for name, words in CATEGORY_WORDS.items())]
        self.facts, self._context = [], ""
        self.same_href = self.same_subject = self.same_words = ""
        if about is not None:
            await self._read_about(customer, about)

    async def _read_about(self, customer: Customer, about: About) -> None:
        """Read the facts that go along. Raises NotFound for what is another customer's."""
        try:
            facts = await portal().support.about.facts_for(customer, about)
        except ExternalError:
            # Whose it is cannot be told now: the question is taken without it.
            self._about = self.about = self.about_href = ""
            return
        self.facts = [FactRow(*fact_words(fact)) for fact in facts]
        self._context = context_text(facts, fact_words)
        lately = now() - _LATELY
        for case in await portal().support.cases.about(customer, about):
            if not case.is_closed or case.opened_at > lately:
                self.same_href, self.same_subject = path_for(f"/support/cases/{case.id}"), case.subject
                asked = _("You asked about this on {time}:").format(time=time(case.opened_at))
                self.same_words = asked if case.is_closed else _("You have an open case about this:")
                return

    @handler
    async def save_subject(self, subject: str):
        """Save what is typed."""
        await self._save(subject=subject[:LONGEST_SUBJECT] if isinstance(subject, str) else "")

    @handler
    async def save_text(self, text: str):
        """Save what is typed."""
        await self._save(text=text[:LONGEST_TEXT] if isinstance(text, str) else "")

    async def _save(self, **typed: str) -> None:
        if self._is_taken:
            # What was typed right before it was sent comes late: it is no draft any more.
            return
        self._draft = {**self._draft, **typed}
        customer, conversation = await self._customer(), portal().support.conversation
        content = json.dumps(self._draft, ensure_ascii=False) if any(self._draft.values()) else ""
        try:
            saved = conversation.save_draft(customer.user_id, NEW_CASE_DRAFT, content, version=self._draft_version)
            self._draft_version, self.other_draft = await saved, ""
            self.saved_subject, self.saved_text = self._draft.get("subject", ""), self._draft.get("text", "")
        except Conflict:
            other = await conversation.draft(customer.user_id, NEW_CASE_DRAFT)
            self._draft_version = other.version
            text = _parsed(other.content).get("text", "")
            self.other_draft = _("Another device has this draft too: {text}").format(text=text)

    @handler
    async def open_case(self, form: dict[str, Any]):
        """Take the case, and go to its conversation. A text with secrets is asked about once."""
        given = {name: str(form.get(name) or "") for name in ("category", "subject", "text")}
        context = self._context if self._about and form.get("with_context") else ""
        try:
            new, uploads = NewCase.parse(**given, about=self._about, context=context), uploads_of(form)
            words = f"{new.subject}\n{new.text}"
            refuse_secrets(words, confirmed=False, known=self._asked_about)
        except InvalidInput as error:
            self.errors = {name: _(words) for name, words in error.fields.items()}
            return None
        except SecretsFound as error:
            self.errors, self._asked_about, self.secrets_note = {}, list(error.kinds), secrets_words(error.kinds)
            return None
        customer = await self._customer()
        follows = our_id(self._follows) if self._follows else None
        call = Call(
            customer.user_id, OPEN_CASE, self._key, "\n".join((self._follows, *map(str, uploads), new.fingerprint()))
        )

        async def take(claim: Claim) -> str:
            return await portal().support.conversation.open(
                customer, new, claim=claim, follows=follows, uploads=uploads
            )

        case_id = await portal().idempotency.once_shared(call, take, status=201)
        self._is_taken = True
        return rx.redirect(path_for(f"/support/cases/{case_id}", language_of(self)))


def _parsed(content: str) -> dict[str, str]:
    """Return a saved draft; one that another door saved as bare text is the question."""
    try:
        found = json.loads(content) if content else {}
    except ValueError:
        return {"text": content}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {"text": content}
