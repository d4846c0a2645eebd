"""The last step of signing up: who the customer is and where they live, the address found by its postcode."""

from dataclasses import dataclass

import reflex as rx

from portal_app.domain.address import PostcodeTown
from portal_app.domain.prefecture import ROMANISED
from portal_app.language import _, path_for
from portal_app.state.access import public
from portal_app.state.page_state import PageState, opened, told
from portal_app.state.sign_up import progress_of
from portal_app.wiring import portal

PREFECTURES = ROMANISED


@dataclass
class Entries:
    """What was typed so far, by field."""

    first_name: str = ""
    last_name: str = ""
    first_name_kana: str = ""
    last_name_kana: str = ""
    phone: str = ""
    postcode: str = ""
    street: str = ""
    building: str = ""
    building_romanised: str = ""


@dataclass
class Place:
    """The part of the address that a postcode fills in."""

    prefecture: str = ""
    city: str = ""
    town: str = ""
    city_romanised: str = ""
    town_romanised: str = ""


class DetailsPage(PageState, rx.State):
    """Entries and their errors; the form itself goes to the API."""

    email: str = ""
    notice: str = ""
    entries: Entries = Entries()
    errors: dict[str, str] = {}
    place: Place = Place()
    filled: int = 0
    towns: list[tuple[str, str]] = []
    postcode_note: str = ""
    postcode_problem: str = ""
    _found: list[PostcodeTown] = []

    @public
    @rx.event
    @opened
    async def load(self):
        """Read what was typed and what is wrong with it; an unproven address goes back to its code."""
        progress = await progress_of(self)
        if progress is None:
            return rx.redirect(path_for("/auth/signup"))
        if not progress.is_proven:
            return rx.redirect(path_for("/auth/verify"))
        flash = await portal().flashes.read(self._query("flash"))
        typed = progress.entries
        self.email = progress.email
        self.errors = {name: _(text) for name, text in progress.errors.items()}
        self.notice = _("Check the marked fields.") if self.errors else flash.get("form", "")
        self.entries = Entries(**{name: typed.get(name, "") for name in Entries.__dataclass_fields__})
        self.place = Place(**{name: typed.get(name, "") for name in Place.__dataclass_fields__})
        self.filled += 1

    @public
    @rx.event
    @told
    async def look_up_postcode(self, postcode: str):
        """Fill in what a postcode stands for; where it is several towns, let the customer choose."""
        self.towns, self.postcode_note, self.postcode_problem = [], "", ""
        try:
            self._found = await portal().postcodes.look_up(postcode[:20])
        except ValueError:
            return
        if not self._found:
            self.postcode_problem = _("We do not know this postcode. Check it, or fill in the address yourself.")
        elif len(self._found) == 1:
            self._fill(self._found[0])
        else:
            choices = [(str(place), f"{town.city}{town.town}") for place, town in enumerate(self._found)]
            self.towns = [("", _("Choose your town")), *choices]

    @public
    @rx.event
    @told
    async def choose_town(self, place: str):
        """Fill in the chosen town of a postcode that stands for several."""
        if place.isascii() and place.isdigit() and int(place) < len(self._found):
            self._fill(self._found[int(place)])

    def _fill(self, town: PostcodeTown) -> None:
        self.place = Place(**{name: getattr(town, name) for name in Place.__dataclass_fields__})
        self.postcode_note = _("Filled in from the postcode. Check it.")
        self.filled += 1
