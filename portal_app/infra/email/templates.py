"""Renders emails (subject, text and HTML) from a template per kind and language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from portal_app.infra.settings import Settings
from portal_app.language import DEFAULT, parse_language, path_for, speaking
from portal_app.language.format import day, duration, time

PRODUCT = "Hikari Portal"
FOLDER = Path(__file__).parent / "emails"


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """One mail, ready to send."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph and how it is set. A link's text is its label; facts are (label, value) pairs."""

    kind: Literal["text", "code", "link", "facts"]
    text: str = ""
    url: str = ""
    facts: tuple[tuple[str, str], ...] = ()


class EmailTemplates:
    """Render `emails/<language>/<template>.txt`; the HTML is made from the same text.

    The first line is the subject. A paragraph of digits is a code; one that ends with an address of the portal on a
    line of its own is a button, the line above it its label; lines "- label: value" are a list of facts. Templates
    find `link(route)`, `product`, `support`, the `durations` by name, the filters `moment` (ISO times), `day` (dates)
    and `duration` (seconds), and the values of `content`.
    """

    def __init__(self, *, portal_url: str, support: str, product: str, durations: Mapping[str, int]) -> None:
        self._portal_url = portal_url
        self.jinja = Environment(
            loader=FileSystemLoader(FOLDER),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.jinja.filters |= {"moment": _moment, "day": _day, "duration": duration}
        self._shared = {"portal_url": portal_url, "support": support, "product": product, **durations}

    @classmethod
    def of(cls, settings: Settings) -> "EmailTemplates":
        """Return the templates with the durations that hold: a mail says what the settings say."""
        return cls(
            portal_url=settings.portal_url,
            support=settings.portal_support_email,
            product=PRODUCT,
            durations={
                "code_seconds": settings.portal_code_seconds,
                "reset_seconds": settings.portal_reset_seconds,
                "unlock_seconds": settings.portal_unlock_seconds,
            },
        )

    def write(self, template: str, language: str, content: dict[str, str]) -> RenderedEmail:
        """Return the rendered email; in English if the language has no template. Raises jinja2's TemplateNotFound."""
        spoken = parse_language(language)
        source = self.jinja.select_template([f"{each}/{template}.txt" for each in dict.fromkeys((spoken, DEFAULT))])
        shared = {**self._shared, "link": partial(self._link, language=spoken)}
        # Values are reduced to one line, so that user input cannot add a paragraph, a button or a mail header.
        lines = {name: " ".join(value.split()) for name, value in content.items()}
        with speaking(spoken):
            subject, _, text = source.render(**lines, **shared).strip().partition("\n")
        blocks = [self._block(part.strip()) for part in text.strip().split("\n\n") if part.strip()]
        html = self.jinja.get_template("layout.html").render(
            **shared, subject=subject, blocks=blocks, preview=_preview(blocks), language=spoken
        )
        return RenderedEmail(subject, text.strip() + "\n", html)

    def _link(self, route: str, *, language: str) -> str:
        return self._portal_url + path_for(route, parse_language(language))

    def _block(self, paragraph: str) -> Block:
        label, _, last = paragraph.rpartition("\n")
        if last.startswith(self._portal_url + "/"):
            return Block("link", text=label or last, url=last)
        if paragraph.isdigit():
            return Block("code", text=paragraph)
        lines = paragraph.splitlines()
        if all(line.startswith("- ") and ": " in line for line in lines):
            pairs = (line[2:].partition(": ") for line in lines)
            return Block("facts", facts=tuple((name, value) for name, _, value in pairs))
        return Block("text", text=paragraph)


def _preview(blocks: list[Block]) -> str:
    """Return what a mailbox shows beside the subject."""
    return next((block.text for block in blocks if block.kind == "text"), "")[:140]


def _moment(text: str) -> str:
    return time(datetime.fromisoformat(text))


def _day(text: str) -> str:
    return day(date.fromisoformat(text))
