"""A new support case, with what it is about filled in."""

from typing import Any
from uuid import uuid4

import reflex as rx

from portal_app.domain.errors import InvalidInput
from portal_app.domain.idempotency import OPEN_CASE, Call, Claim
from portal_app.domain.identifiers import our_id
from portal_app.domain.support.case import About, CaseCategory, NewCase
from portal_app.language import _, path_for
from portal_app.state.shell.error_reporting import language_of, report_errors
from portal_app.state.shell.page_state import PageState
from portal_app.state.support.files import UploadPlace, uploads_of
from portal_app.state.support.words import CATEGORY_WORDS, about_of
from portal_app.wiring.portal import portal

_CATEGORIES: dict[str, CaseCategory] = {"invoice": "billing", "order": "order", "line": "sim"}

# The key of the draft, and of its files.
NEW_CASE = "new"


class NewCasePage(PageState, rx.State):
    """The form of a new case."""

    categories: list[list[str]] = []
    category: str = ""
    about: str = ""
    about_href: str = ""
    same_href: str = ""
    same_subject: str = ""
    errors: dict[str, str] = {}
    uploading: UploadPlace = UploadPlace()
    _about: str = ""
    _follows: str = ""
    _key: str = ""

    async def _read_page(self) -> None:
        """Take what the case is about from the address."""
        customer = await self._customer()
        about = About.parse(self._query("about"))
        self._about, self._follows = str(about or ""), self._query("follows")
        self.about, self.about_href = about_of(about)
        self.category = _CATEGORIES.get(about.kind, "") if about else ""
        self.categories = [["", _("Choose one")], *([name, _(words)] for name, words in CATEGORY_WORDS.items())]
        self.same_href = self.same_subject = ""
        for case in await portal().support.cases.about(customer, self._about) if self._about else []:
            if not case.is_closed:
                self.same_href, self.same_subject = path_for(f"/support/cases/{case.id}"), case.subject
        self.errors, self._key, self.uploading = {}, uuid4().hex, UploadPlace.for_draft(NEW_CASE)

    @rx.event
    @report_errors
    async def open_case(self, form: dict[str, Any]):
        """Take the case, and go to its conversation."""
        given = {name: str(form.get(name) or "") for name in ("category", "subject", "text")}
        context = f"About: {self._about}" if self._about and form.get("with_context") else ""
        try:
            new, uploads = NewCase.parse(**given, about=self._about, context=context), uploads_of(form)
        except InvalidInput as error:
            self.errors = {name: _(words) for name, words in error.fields.items()}
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
        return rx.redirect(path_for(f"/support/cases/{case_id}", language_of(self)))
