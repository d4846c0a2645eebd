"""Fills the slots of a built public page; everything put in is escaped, except HTML that the portal itself made."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class Html(str):
    """HTML that the portal rendered from its own files: the one kind of text that is not escaped."""

    __slots__ = ()


Row = Mapping[str, "str | Sequence[Row]"]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a public page shows. `title` replaces the built one; a page that `is_kept` is the same for everybody.

    Only pages that are kept are for search engines.
    """

    row: Row
    title: str = ""
    status: int = 200
    is_kept: bool = True


def fill(page: str, row: Row) -> str:
    """Return the page with texts in their places and slots repeated once per row. What is not given stays."""
    for name, rows in row.items():
        if not isinstance(rows, str):
            page = _slot(name).sub(lambda found, rows=rows: "".join(fill(found[1], each) for each in rows), page)
    texts = {name: _safe(value) for name, value in row.items() if isinstance(value, str)}
    if not texts:
        return page
    # In one pass: what is put in is never searched for places itself.
    places = re.compile(r"\[\[(" + "|".join(map(re.escape, texts)) + r")\]\]")
    return places.sub(lambda place: texts[place[1]], page)


def _safe(value: str) -> str:
    # A text with the marks of a place would be filled in by the level above.
    return value if isinstance(value, Html) else html.escape(value).replace("[[", "&#91;&#91;")


def _slot(name: str) -> re.Pattern[str]:
    begin, end = (rf'<span data-slot="{edge} {re.escape(name)}"></span>' for edge in ("begin", "end"))
    return re.compile(f"{begin}(.*?){end}", re.S)
