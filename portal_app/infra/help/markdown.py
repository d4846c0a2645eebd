"""Renders Markdown to HTML of our own making: no HTML of the text, no pictures, links within the portal or https."""

from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from portal_app.language import Language, path_for


def render(text: str, language: Language) -> str:
    """Return the HTML of a text; its links within the portal lead to pages of the language."""
    markdown = _markdown()
    tokens = markdown.parse(text)
    for token in _inner(tokens):
        address = str(token.attrs.get("href", ""))
        if token.type == "link_open" and address.startswith("/"):
            token.attrs["href"] = path_for(address, language)
    # Wide tables scroll by themselves, not the page.
    html = markdown.renderer.render(tokens, markdown.options, {})
    return str(html).replace("<table>", '<div class="wide" tabindex="0"><table>').replace("</table>", "</table></div>")


def plain_text(text: str) -> str:
    """Return the words of a text, a line for each block."""
    blocks = [token for token in _markdown().parse(text) if token.type == "inline"]
    return "\n".join("".join(_words(child) for child in block.children or ()) for block in blocks)


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    # Instances share nothing, but their class checks links more leniently.
    setattr(markdown, "validateLink", _is_allowed)  # noqa: B010
    return markdown


def _is_allowed(address: str) -> bool:
    """Return whether a link leads into the portal or to another site by https."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\", "/api/"))
    return inside or address.startswith("https://")


def _inner(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def _words(token: Any) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return str(token.content) if token.type in ("text", "code_inline") else ""
