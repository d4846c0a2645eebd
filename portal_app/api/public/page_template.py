"""Fills the slots of a built public page; everything put in is escaped."""

import html
import re
from collections.abc import Mapping, Sequence

Row = Mapping[str, "str | Sequence[Row]"]


def fill(page: str, row: Row) -> str:
    """Return the page with texts in their places and slots repeated once per row. What is not given stays."""
    for name, value in row.items():
        if isinstance(value, str):
            page = page.replace(f"[[{name}]]", html.escape(value))
        else:
            page = _slot(name).sub(lambda found, rows=value: "".join(fill(found[1], each) for each in rows), page)
    return page


def _slot(name: str) -> re.Pattern[str]:
    begin, end = (rf'<span data-slot="{edge} {re.escape(name)}"></span>' for edge in ("begin", "end"))
    return re.compile(f"{begin}(.*?){end}", re.S)
