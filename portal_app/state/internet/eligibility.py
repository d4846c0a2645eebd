"""The status of an address check, as every page about fibre shows it."""

from dataclasses import dataclass

from portal_app.domain.internet.eligibility import Eligibility
from portal_app.domain.profile.customer import Customer
from portal_app.language import _
from portal_app.language.format import listed, time
from portal_app.state.profile.account import address_lines
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal


@dataclass(frozen=True)
class CheckRow:
    """A check in words. `note` is what the agent added; `can_ask` and `needs_address` say what the customer can do."""

    title: str = ""
    text: str = ""
    tone: str = "info"
    note: str = ""
    can_ask: bool = False
    needs_address: bool = False
    is_waiting: bool = False


class AddressCheckPage(PageState, mixin=True):
    """Mix into a page about fibre; its topics include "eligibility" and "account"."""

    check: CheckRow = CheckRow()
    lines: list[str] = []
    asking: bool = False

    async def _show_check(self, customer: Customer) -> Eligibility:
        found = await portal().internet.checks.check_for(customer)
        self.lines = address_lines(await portal().profile.profiles.profile_for(customer))
        self.check = check_row(found)
        self.saved_note = ""
        if found.as_of:
            words = _("Saved data from {time}. Newer data follow as soon as our order system answers.")
            self.saved_note = words.format(time=time(found.as_of))
        return found

    async def _request_check(self, customer: Customer) -> None:
        await portal().internet.checks.request(customer)
        await self._show_check(customer)


def check_row(found: Eligibility) -> CheckRow:
    """Return a check in words."""
    if found.status == "pending":
        text = _("Asked {time}. Our team answers, usually within a working day; this page then changes by itself.")
        at = time(found.requested_at) if found.requested_at else ""
        return CheckRow(_("We are checking your address"), text.format(time=at), is_waiting=True)
    if found.status == "eligible":
        text = _("These lines can be installed there: {offers}.").format(offers=listed(found.offers))
        return CheckRow(_("Fibre is available at your address"), text, "ok", found.note)
    if found.status == "ineligible":
        text = _("Our lines do not reach it at the moment. When you move, we check the new address.")
        return CheckRow(_("Fibre is not available at your address"), text, "attention", found.note)
    if found.address is None:
        text = _("The building decides which lines there are, and we know your address in Latin letters only.")
        return CheckRow(_("Add your address in Japanese first"), text, needs_address=True)
    if found.status is None:
        text = _("One of our systems does not answer. Ask all the same: your request is kept and handed on by itself.")
        return CheckRow(_("We cannot tell right now what is available at your address"), text, can_ask=True)
    text = _("Our team finds out with the network operator, usually within a working day. It costs nothing.")
    return CheckRow(_("Which lines are available at your address?"), text, can_ask=True)
