"""The customer's account: personal data and their changes."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import AWAY, REFUSED, ProfileChange, ProfileView
from portal_app.language import _
from portal_app.state.profile.kyc import check_standing, check_story
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.form_entries import typed
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal

_TONES = {AWAY: "attention", REFUSED: "problem"}


@dataclass
class PersonEntries:
    """The personal fields as the form shows them."""

    first_name: str = ""
    last_name: str = ""
    first_name_kana: str = ""
    last_name_kana: str = ""
    phone: str = ""


def address_lines(view: ProfileView) -> list[str]:
    """Return an address line by line: Japanese where it is known, else as it stands on the bill."""
    person, bill = view.person, view.person.billing_address
    if person.address is not None:
        here = person.address
        return [line for line in (f"〒{here.postcode}", here.prefecture + here.city, here.japanese_street()) if line]
    return [line for line in (bill.line1, bill.line2, f"{bill.city}, {bill.state} {bill.postcode}") if line.strip(", ")]


class AccountPage(PageState, rx.State):
    """Personal data, e-mail address, language and news. `form_version` counts changes of what fills the forms."""

    topics: ClassVar[frozenset[str]] = frozenset({"account"})

    entries: PersonEntries = PersonEntries()
    email: str = ""
    new_email: str = ""
    customer_number: str = ""
    address: list[str] = []
    language: str = "en"
    marketing: bool = False
    note: str = ""
    note_tone: str = "info"
    errors: dict[str, str] = {}
    support: str = ""
    identity_word: str = ""
    identity_tone: str = "neutral"
    identity_story: str = ""
    form_version: int = 0

    @handler
    async def save_person(self, form: dict[str, Any]):
        """Change name, reading and phone number; a new number needs a fresh proof."""
        await self._change(typed(form, *PersonEntries.__dataclass_fields__))

    @handler
    async def save_wishes(self, form: dict[str, Any]):
        """Change the language of e-mails and the consent to marketing."""
        wants_news = ProfileChange(marketing=bool(typed(form, "marketing")["marketing"]))
        await self._change(typed(form, "language"), wants_news)

    @handler
    async def begin_email_change(self, form: dict[str, Any]):
        """Mail a code to a new address."""
        try:
            entries, session_id = typed(form, "email"), await self._session_id()
            await portal().profile.email_changes.begin(await self._customer(), entries["email"], session_id=session_id)
        except InvalidInput as error:
            self._show_errors(error)
        else:
            await self._read_page()

    @handler
    async def prove_email(self, form: dict[str, Any]):
        """Check the code that came to the new address."""
        try:
            await portal().profile.email_changes.verify_mailbox(await self._customer(), typed(form, "code")["code"])
        except InvalidInput as error:
            self._show_errors(error)
        else:
            await self._read_page()

    @handler
    async def give_up_email(self):
        """Cancel the change of the e-mail address."""
        await portal().profile.email_changes.cancel(await self._customer())
        await self._read_page()

    async def _change(self, entries: dict[str, str], more: ProfileChange | None = None) -> None:
        try:
            change = ProfileChange.parse(entries).merged_with(more or ProfileChange())
            session_id = await self._session_id()
            await portal().profile.profiles.change(await self._customer(), change, session_id=session_id)
        except InvalidInput as error:
            self._show_errors(error)
        else:
            await self._read_page()

    def _show_errors(self, error: InvalidInput) -> None:
        self.errors = {name: _(text) for name, text in error.fields.items()}

    async def _read_page(self) -> None:
        customer = await self._customer()
        view = await portal().profile.profiles.profile_for(customer)
        person = view.person
        entries = PersonEntries(**{name: getattr(person, name) for name in PersonEntries.__dataclass_fields__})
        # A live change of other data must not discard what is being typed.
        if (entries, view.language, person.marketing) != (self.entries, self.language, self.marketing):
            self.form_version += 1
        self.entries = entries
        self.email = (await portal().identity.accounts.view(customer.user_id)).email
        self.new_email = await portal().profile.email_changes.pending_email(customer)
        self.customer_number, self.support = customer.customer_number, portal().settings.portal_support_email
        self.address, self.language, self.marketing = address_lines(view), view.language, person.marketing
        self.note, self.note_tone = _(view.note) if view.note else "", _TONES.get(view.note, "info")
        await self._show_identity(customer)
        self._note_saved(view.as_of)
        self.errors = {}

    async def _show_identity(self, customer: Customer) -> None:
        check = await portal().profile.kyc_documents.check_for(customer)
        standing = check_standing(check)
        self.identity_word, self.identity_tone, self.identity_story = standing.word, standing.tone, check_story(check)
