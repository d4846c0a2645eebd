"""Writes every email in every language into a folder, with an index page, for review by people."""

import html
import sys
from pathlib import Path

from jinja2 import meta

from portal_app.infra.email.templates import FOLDER, EmailTemplates
from portal_app.infra.start import read_settings_of_command
from portal_app.language import DEFAULT, LANGUAGES

# Sample values for the variables of templates; a variable without a sample is shown as its name in brackets.
SAMPLES = {
    "at": "2026-11-22T10:42:00+00:00",
    "amount": "¥6,578",
    "browser": "Firefox · Windows",
    "code": "012345",
    "cap": "¥5,000",
    "customer_number": "C00000042",
    "gigabytes": "3",
    "email": "hana.sato@example.jp",
    "due_on": "2026-11-30",
    "invoice_id": "2001",
    "last_day": "2026-11-30",
    "left": "7",
    "line": "…0101",
    "new_email": "hana.sato@example.jp",
    "number": "2026-0042",
    "old_price": "¥2,550",
    "order_id": "6f1c2a9e-0000-4000-8000-000000000000",
    "token": "tGq0example-of-a-token",
    "reason": "declined",
    "spent": "¥3,300",
    "place": "192.0.2.x",
    "price": "¥3,500",
    "sends_at": "2026-11-29T15:00:00+00:00",
    "service_id": "1001",
    "starts_on": "2026-12-01",
    "title": "SonixNet Home 1G Gold",
    "withdraw_until": "2026-11-25",
}
_GIVEN = frozenset({"link", "product", "support", "portal_url", "code_seconds", "reset_seconds", "unlock_seconds"})


def template_names() -> list[str]:
    """Return the names of all templates."""
    return sorted(path.stem for path in (FOLDER / DEFAULT).glob("*.txt"))


def content_for(templates: EmailTemplates, template: str, language: str) -> dict[str, str]:
    """Return sample values for every variable of a template."""
    source = (FOLDER / language / f"{template}.txt").read_text(encoding="utf-8")
    asked = meta.find_undeclared_variables(templates.jinja.parse(source)) - _GIVEN
    return {name: SAMPLES.get(name, f"[{name}]") for name in sorted(asked)}


def preview(templates: EmailTemplates, folder: Path) -> Path:
    """Render every template in every language into a folder and return the page that lists them."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for template in template_names():
        for language in LANGUAGES:
            email = templates.write(template, language, content_for(templates, template, language))
            name = f"{template}.{language}"
            (folder / f"{name}.html").write_text(email.html, encoding="utf-8")
            (folder / f"{name}.txt").write_text(f"Subject: {email.subject}\n\n{email.text}", encoding="utf-8")
            rows.append(
                f'<li><a href="{name}.html">{html.escape(email.subject)}</a> <a href="{name}.txt">text</a>'
                f"<br><small>{name}</small></li>"
            )
    index = folder / "index.html"
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Mails</title>'
    index.write_text(f"{head}<h1>Mails</h1><ul>{''.join(rows)}</ul>", encoding="utf-8")
    return index


if __name__ == "__main__":
    settings = read_settings_of_command()
    written = preview(EmailTemplates.of(settings), Path(sys.argv[1]))
    sys.stdout.write(f"{written}\n")
