"""Letters: subject, text and HTML per occasion, rendered from templates."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

_FOLDER = Path(__file__).parent / "letters"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, ready to send."""

    subject: str
    text: str
    html: str


class Letters:
    """Render `letters/<occasion>.txt`: its first line is the subject; the HTML is made from the same words."""

    def __init__(self, *, portal_url: str, support: str, product: str) -> None:
        self._jinja = Environment(
            loader=FileSystemLoader(_FOLDER),
            undefined=StrictUndefined,
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._shared = {"portal_url": portal_url, "support": support, "product": product}

    def write(self, occasion: str, language: str, content: dict[str, str]) -> Letter:
        """Return the letter for an occasion; English where a language has none. Raises jinja2's TemplateNotFound."""
        template = self._jinja.select_template([f"{occasion}.{language}.txt", f"{occasion}.txt"])
        subject, _, text = template.render(**self._shared, **content).strip().partition("\n")
        paragraphs = [part.strip() for part in text.strip().split("\n\n") if part.strip()]
        html = self._jinja.get_template("letter.html").render(
            **self._shared, subject=subject, paragraphs=paragraphs, language=language
        )
        return Letter(subject, text.strip() + "\n", html)
