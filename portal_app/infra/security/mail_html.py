"""The words of a mail that has no plain text: nothing of its markup is kept."""

import html
import re

import nh3

_BREAKS = re.compile(r"(?i)<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>")
_LINES = re.compile(r"\n{3,}")


def text_of_html(markup: str) -> str:
    """Return the words of an HTML mail, a line for each block."""
    if not markup:
        return ""
    bare = nh3.clean(_BREAKS.sub("\n", markup), tags=set(), clean_content_tags={"script", "style", "head", "title"})
    lines = "\n".join(line.strip() for line in html.unescape(bare).splitlines())
    return _LINES.sub("\n\n", lines).strip()
