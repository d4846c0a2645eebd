"""The words of a mail that has no plain text: nothing of its markup is kept, and nothing is loaded from outside."""

import re
from html.parser import HTMLParser

import nh3

_TAGS = {"a", "blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "tr"}
_DROPPED = {"script", "style", "head", "title", "svg", "math", "template"}
_LINES = re.compile(r"\n{3,}")


def text_of_html(markup: str) -> str:
    """Return the words of an HTML mail: a line for each block, `>` before what is quoted, addresses after links."""
    if not markup:
        return ""
    reader = _Reader()
    reader.feed(
        nh3.clean(
            markup,
            tags=_TAGS,
            clean_content_tags=_DROPPED,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel=None,
        )
    )
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Writes cleaned markup as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines = [""]
        self._depth = 0
        self._href = ""
        self._label = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block, a quote or a link."""
        if tag == "a":
            self._href, self._label = dict(attrs).get("href") or "", ""
        elif tag == "br":
            self._lines.append(self._prefix())
        else:
            self._depth += tag == "blockquote"
            self._begin_line()

    def handle_endtag(self, tag: str) -> None:
        """End a block; after a link comes its address, unless the words say it already."""
        if tag == "a":
            address = self._href.removeprefix("mailto:")
            if address and address not in self._label:
                self._lines[-1] += f" ({address})"
            self._href = self._label = ""
        elif tag != "br":
            self._depth = max(0, self._depth - (tag == "blockquote"))
            self._begin_line()
            if tag == "p":
                self._lines.append(self._prefix())

    def handle_data(self, data: str) -> None:
        """Take words; a mail that is text after all keeps its lines."""
        self._label += data
        first, *others = data.split("\n")
        self._lines[-1] += first
        for line in others:
            self._begin_line()
            self._lines[-1] += line

    def text(self) -> str:
        """Return what was written."""
        return _LINES.sub("\n\n", "\n".join(line.rstrip() for line in self._lines)).strip()

    def _prefix(self) -> str:
        return "> " * self._depth

    def _begin_line(self) -> None:
        """Begin a line, unless nothing stands in the present one."""
        if self._lines[-1].strip(" >"):
            self._lines.append("")
        self._lines[-1] = self._prefix()
