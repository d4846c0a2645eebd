"""The part of an address form that a postcode fills in, for every page that asks for an address."""

from dataclasses import dataclass

import reflex as rx

from portal_app.domain.profile.address import PostcodeTown
from portal_app.domain.profile.prefecture import ROMANISED
from portal_app.language import _
from portal_app.wiring.portal import portal

PREFECTURES = ROMANISED


@dataclass
class Place:
    """The part of the address that a postcode fills in."""

    prefecture: str = ""
    city: str = ""
    town: str = ""
    city_romanised: str = ""
    town_romanised: str = ""


class PostcodeForm(rx.State, mixin=True):
    """Mix into a page's state and call `_look_up` and `_choose` from its own handlers."""

    place: Place = Place()
    filled: int = 0
    towns: list[tuple[str, str]] = []
    postcode_note: str = ""
    postcode_problem: str = ""
    _found: list[PostcodeTown] = []

    async def _look_up(self, postcode: object) -> None:
        """Fill in what a postcode stands for; where it is several towns, let the customer choose."""
        self.towns, self.postcode_note, self.postcode_problem = [], "", ""
        try:
            self._found = await portal().profile.postcodes.look_up(str(postcode)[:20])
        except ValueError:
            return
        if not self._found:
            self.postcode_problem = _("We do not know this postcode. Check it, or fill in the address yourself.")
        elif len(self._found) == 1:
            self._fill(self._found[0])
        else:
            choices = [(str(place), f"{town.city}{town.town}") for place, town in enumerate(self._found)]
            self.towns = [("", _("Choose your town")), *choices]

    def _choose(self, place: object) -> None:
        """Fill in the chosen town of a postcode that stands for several."""
        if isinstance(place, str) and place.isascii() and place.isdigit() and int(place[:6]) < len(self._found):
            self._fill(self._found[int(place[:6])])

    def _set_place(self, place: Place) -> None:
        self.place = place
        self.filled += 1

    def _fill(self, town: PostcodeTown) -> None:
        self._set_place(Place(**{name: getattr(town, name) for name in Place.__dataclass_fields__}))
        self.postcode_note = _("Filled in from the postcode. Check it.")
