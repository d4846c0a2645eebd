"""Changing the address: found by its postcode, in both scripts."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.address import Address, room_number
from portal_app.domain.profile.profile import ProfileChange
from portal_app.language import _, path_for
from portal_app.state.profile.account import address_lines
from portal_app.state.profile.postcode_form import Place, PostcodeForm
from portal_app.state.shell.error_reporting import handler
from portal_app.state.shell.form_entries import typed
from portal_app.state.shell.page_state import PageState
from portal_app.wiring.portal import portal

_FIELDS = tuple(Address.__dataclass_fields__)
# Where the customer continues who came from another page, by the `for` of the address.
_NEXT_PAGES = {"internet": "/catalog/internet", "order": "/checkout/address"}


@dataclass
class AddressEntries:
    """The postcode and the parts of the address that no postcode gives."""

    postcode: str = ""
    street: str = ""
    building: str = ""
    building_romanised: str = ""
    street_romanised: str = ""


class AddressPage(PageState, PostcodeForm, rx.State):
    """The address as it is and the form for a new one."""

    entries: AddressEntries = AddressEntries()
    errors: dict[str, str] = {}
    lines: list[str] = []
    is_romanised: bool = False

    async def _read_page(self) -> None:
        """Read the address and fill the form with what is known of it."""
        view = await portal().profile.profiles.profile_for(await self._customer())
        here = view.person.address
        known = {name: getattr(here, name) for name in _FIELDS} if here else {}
        known.setdefault("postcode", view.person.billing_address.postcode)
        self.entries = AddressEntries(**{name: known.get(name, "") for name in AddressEntries.__dataclass_fields__})
        self.lines, self.is_romanised, self.errors = address_lines(view), here is None, {}
        self.towns, self.postcode_note, self.postcode_problem = [], "", ""
        self._set_place(Place(**{name: known.get(name, "") for name in Place.__dataclass_fields__}))
        self._note_saved(view.as_of)
        if here is None and self.entries.postcode:
            await self._look_up(self.entries.postcode)

    @handler
    async def look_up_postcode(self, postcode: str):
        """Fill in what a postcode stands for."""
        await self._look_up(postcode)

    @handler
    async def choose_town(self, place: str):
        """Fill in the chosen town."""
        self._choose(place)

    @handler
    async def save_address(self, form: dict[str, Any]):
        """Change the address after a recent proof of identity; the account page says how far it is.

        A customer who came from the internet plans or an order continues there.
        """
        try:
            change = ProfileChange(address=Address.parse(typed(form, *_FIELDS)))
            session_id = await self._session_id()
            await portal().profile.profiles.change(await self._customer(), change, session_id=session_id)
        except InvalidInput as error:
            self.errors = {name: _(text) for name, text in error.fields.items()}
            if "building_romanised" in error.fields and not self.entries.building_romanised:
                self.entries.building_romanised = room_number(typed(form, "building")["building"])
            return None
        return rx.redirect(path_for(_NEXT_PAGES.get(self._query("for"), "/account")))
