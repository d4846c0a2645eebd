"""Cancelling a service: reason, consequences, and two confirmations."""

from typing import Any
from uuid import UUID, uuid4

import reflex as rx

from portal_app.domain.errors import InvalidInput
from portal_app.domain.idempotency import SCHEDULE_CANCELLATION, Call, Claim
from portal_app.domain.identifiers import vendor_number
from portal_app.domain.subscriptions.cancellation import REASONS, CancellationFeedback, CancellationRequester
from portal_app.language import _, path_for
from portal_app.language.format import day
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.form_entries import typed
from portal_app.state.shell.page_state import PageState
from portal_app.state.shell.question import new_question
from portal_app.state.shell.session import PageSession
from portal_app.state.subscriptions.cancellation_words import consequences_of
from portal_app.wiring.portal import portal


class CancelPage(PageState, rx.State):
    """Which service ends, when, and what else ends with it."""

    name: str = ""
    back: str = ""
    last_day: str = ""
    until: str = ""
    consequences: list[str] = []
    reasons: list[list[str]] = []
    can_cancel: bool = False
    ends_already: bool = False
    support: str = ""
    errors: dict[str, str] = {}
    question: str = ""
    _number: int = 0
    _reason: str = ""
    _comment: str = ""
    _key: str = ""

    async def _read_page(self) -> None:
        self._number = vendor_number(self.router.url.path.rstrip("/").split("/")[-2])
        customer, cancelling = await self._customer(), portal().subscriptions.cancellations
        service, as_of = await portal().subscriptions.services.subscription_for(customer, self._number)
        rows = (await portal().subscriptions.services.subscriptions_for(customer)).rows
        self._note_saved(as_of)
        request = (await cancelling.requests_for(customer)).get(self._number)
        ending = cancelling.schedule_for(service)
        self.ends_already = request is not None and request.is_open
        self.can_cancel = ending is not None and not self.ends_already
        self.name, self.back = service.name, path_for(f"/subscriptions/{service.id}")
        self.last_day, self.until = (day(ending.ends_on), day(ending.withdraw_until)) if ending else ("", "")
        self.consequences = consequences_of(service, rows)
        self.reasons = [["", _("Choose one")], *([name, _(words)] for name, words in REASONS.items())]
        self.support = portal().settings.portal_support_email
        self.errors, self._key = {}, uuid4().hex

    @handler
    async def review(self, form: dict[str, Any]):
        """Check the entries, and ask for the second confirmation."""
        entries = typed(form, "reason", "comment", "understood")
        wrong: dict[str, str] = {}
        try:
            wish = CancellationFeedback.parse(entries["reason"], entries["comment"])
            self._reason, self._comment = wish.reason, wish.comment
        except InvalidInput as error:
            wrong = error.fields
        if entries["understood"] != "on":
            wrong = wrong | {"understood": "Confirm that you know what ends."}
        self.errors = {name: _(text) for name, text in wrong.items()}
        if not wrong:
            self.question = new_question()

    @handler
    async def cancel(self):
        """Cancel the service after a recent proof of identity, and go to its page."""
        identity = await self.get_state(PageSession)
        wish = CancellationFeedback.parse(self._reason, self._comment)
        asked = CancellationRequester(UUID(identity._session_id), identity._email)
        customer, number = await self._customer(), self._number
        call = Call(customer.user_id, SCHEDULE_CANCELLATION, self._key, wish.fingerprint(number))

        async def schedule(claim: Claim) -> str:
            return await portal().subscriptions.cancellations.schedule(customer, number, wish, asked=asked, claim=claim)

        await portal().idempotency.once_shared(call, schedule, status=201)
        return rx.redirect(self.back)
