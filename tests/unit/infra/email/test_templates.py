"""Email templates: all exist in every language, and user input never becomes markup or a button."""

import re
from pathlib import Path

import jinja2
import pytest

from portal_app.infra.email.preview import SAMPLES, content_for, preview, template_names
from portal_app.infra.email.templates import FOLDER, EmailTemplates
from portal_app.language import LANGUAGES

PORTAL = "https://portal.example.jp"
HOSTILE = f"<script>alert(1)</script>{{{{ product }}}}\n\nFree money\n{PORTAL}/evil\n\n- a: b"
# What is a time or a day is never what somebody typed.
TIMES = {name for name, text in SAMPLES.items() if re.match(r"\d{4}-\d\d-\d\d(T|$)", text)}
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")


@pytest.fixture
def templates() -> EmailTemplates:
    return EmailTemplates(
        portal_url=PORTAL,
        support="support@example.jp",
        product="Hikari Portal",
        durations={"code_seconds": 600, "reset_seconds": 1800, "unlock_seconds": 3600},
    )


def test_every_template_exists_in_every_language_and_asks_for_the_same_content(templates: EmailTemplates) -> None:
    for language in LANGUAGES:
        assert sorted(path.stem for path in (FOLDER / language).glob("*.txt")) == template_names()
    for template in template_names():
        asked = [set(content_for(templates, template, language)) for language in LANGUAGES]
        # A subject may say less in one language, but nothing may be missing from the email.
        assert asked[0] == asked[1], template


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", template_names())
def test_every_email_has_a_subject_a_text_and_the_same_words_in_html(
    templates: EmailTemplates, template: str, language: str
) -> None:
    email = templates.write(template, language, content_for(templates, template, language))
    assert 5 < len(email.subject) < 120 and "\n" not in email.subject
    assert bool(JAPANESE.search(email.subject)) == bool(JAPANESE.search(email.text)) == (language == "ja")
    assert f'<html lang="{language}">' in email.html
    for line in filter(None, email.text.splitlines()):
        value = line.removeprefix("- ").partition(": ")[0] if line.startswith("- ") else line
        assert str(jinja2.filters.escape(value)) in email.html
    assert "{{" not in email.html + email.text and "[" not in email.subject


@pytest.mark.parametrize("template", template_names())
def test_what_was_typed_is_escaped_in_html_and_stays_within_its_line(templates: EmailTemplates, template: str) -> None:
    asked = content_for(templates, template, "en")
    plain = templates.write(template, "en", asked)
    typed = templates.write(template, "en", {name: text if name in TIMES else HOSTILE for name, text in asked.items()})
    assert "<script" not in typed.html and "Portal</script>" not in typed.html
    assert "\n" not in typed.subject
    assert f'href="{PORTAL}/evil"' not in typed.html
    assert typed.html.count("<td") == plain.html.count("<td")


def test_a_language_without_templates_gets_english_and_a_missing_value_is_an_error(templates: EmailTemplates) -> None:
    content = {"customer_number": "C00000042"}
    assert templates.write("welcome", "fr", content) == templates.write("welcome", "en", content)
    with pytest.raises(jinja2.UndefinedError):
        templates.write("welcome", "en", {})
    with pytest.raises(jinja2.TemplateNotFound):
        templates.write("no_such_template", "en", content)


def test_the_code_stands_alone_where_it_can_be_copied(templates: EmailTemplates) -> None:
    email = templates.write("sign_up_code", "en", {"code": "012345"})
    assert email.subject.startswith("012345")
    assert "\n012345\n" in email.text
    assert ">012345</p>" in email.html


def test_japanese_emails_lead_to_japanese_pages_and_tell_times_in_japan(templates: EmailTemplates) -> None:
    email = templates.write("phone_changed", "ja", {"at": "2026-11-22T16:30:00+00:00"})
    assert "2026年11月23日 01:30" in email.text
    assert f'href="{PORTAL}/ja/account"' in email.html


def test_the_preview_shows_every_template_in_every_language(templates: EmailTemplates, tmp_path: Path) -> None:
    index = preview(templates, tmp_path / "mails").read_text()
    for template in template_names():
        for language in LANGUAGES:
            assert f'href="{template}.{language}.html"' in index
            assert (tmp_path / "mails" / f"{template}.{language}.txt").read_text().startswith("Subject: ")


@pytest.mark.parametrize(("language", "again"), [("en", "ask for it again"), ("ja", "もう一度お申し込み")])
def test_nobody_is_told_to_ask_again_for_a_change_of_a_line_that_ends(
    templates: EmailTemplates, language: str, again: str
) -> None:
    content = content_for(templates, "line_change_failed", language)
    said = {
        reason: again in templates.write("line_change_failed", language, content | {"reason": reason}).text
        for reason in ("refused", "not_carried_out", "ending", "line_not_active")
    }
    assert said == {"refused": True, "not_carried_out": True, "ending": False, "line_not_active": False}
