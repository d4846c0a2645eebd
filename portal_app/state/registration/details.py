"""The last step of signing up: who the customer is and where they live, the address found by its postcode."""

from dataclasses import dataclass

import reflex as rx

from portal_app.domain.profile.address import room_number
from portal_app.language import _, path_for
from portal_app.state.profile.account import PersonEntries
from portal_app.state.profile.address import AddressEntries
from portal_app.state.profile.postcode_form import Place, PostcodeForm
from portal_app.state.registration.sign_up import progress_of
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.page_state import PublicPageState
from portal_app.state.shell.public_handlers import public
from portal_app.wiring.portal import portal


@dataclass
class Entries(PersonEntries, AddressEntries):
    """What was typed so far, by field."""


class DetailsPage(PublicPageState, PostcodeForm, rx.State):
    """Entries and their errors; the form itself goes to the API."""

    email: str = ""
    notice: str = ""
    entries: Entries = Entries()
    errors: dict[str, str] = {}

    async def _read_page(self) -> str | None:
        """Read the entries and their errors; an unverified e-mail address goes back to its code."""
        progress = await progress_of(self)
        if progress is None:
            return path_for("/auth/signup")
        if not progress.is_proven:
            return path_for("/auth/verify")
        flash = await portal().flash_messages.read(self._query("flash"))
        typed = progress.entries
        self.email = progress.email
        self.errors = {name: _(text) for name, text in progress.errors.items()}
        self.notice = _("Check the marked fields.") if self.errors else flash.get("form", "")
        self.entries = Entries(**{name: typed.get(name, "") for name in Entries.__dataclass_fields__})
        if "building_romanised" in self.errors and not self.entries.building_romanised:
            self.entries.building_romanised = room_number(self.entries.building)
        self._set_place(Place(**{name: typed.get(name, "") for name in Place.__dataclass_fields__}))
        return None

    @public
    @handler
    async def look_up_postcode(self, postcode: str):
        """Fill in what a postcode stands for."""
        await self._look_up(postcode)

    @public
    @handler
    async def choose_town(self, place: str):
        """Fill in the chosen town."""
        self._choose(place)
