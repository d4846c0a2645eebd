"""Letters: every occasion can be written in every language, and nothing a person typed becomes markup or a button."""

import re
from pathlib import Path

import jinja2
import pytest

from portal_app.infra.email.preview import content_for, preview, template_names
from portal_app.infra.email.templates import FOLDER, EmailTemplates
from portal_app.language import LANGUAGES

PORTAL = "https://portal.example.jp"
HOSTILE = f"<script>alert(1)</script>{{{{ product }}}}\n\nFree money\n{PORTAL}/evil\n\n- a: b"
# What is a time or a day is never what somebody typed.
TIMES = {"at", "last_day", "withdraw_until", "due_on"}
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")


@pytest.fixture
def letters() -> EmailTemplates:
    return EmailTemplates(
        portal_url=PORTAL,
        support="support@example.jp",
        product="Hikari Portal",
        durations={"code_seconds": 600, "reset_seconds": 1800, "unlock_seconds": 3600},
    )


def test_every_occasion_exists_in_every_language_and_asks_for_the_same_content(letters: EmailTemplates) -> None:
    for language in LANGUAGES:
        assert sorted(path.stem for path in (FOLDER / language).glob("*.txt")) == template_names()
    for occasion in template_names():
        asked = [set(content_for(letters, occasion, language)) for language in LANGUAGES]
        # A subject may say less in one language, but nothing may be missing from the letter.
        assert asked[0] == asked[1], occasion


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("occasion", template_names())
def test_every_letter_has_a_subject_a_text_and_the_same_words_in_html(
    letters: EmailTemplates, occasion: str, language: str
) -> None:
    letter = letters.write(occasion, language, content_for(letters, occasion, language))
    assert 5 < len(letter.subject) < 120 and "\n" not in letter.subject
    assert bool(JAPANESE.search(letter.subject)) == bool(JAPANESE.search(letter.text)) == (language == "ja")
    assert f'<html lang="{language}">' in letter.html
    for line in filter(None, letter.text.splitlines()):
        value = line.removeprefix("- ").partition(": ")[0] if line.startswith("- ") else line
        assert str(jinja2.filters.escape(value)) in letter.html
    assert "{{" not in letter.html + letter.text and "[" not in letter.subject


@pytest.mark.parametrize("occasion", template_names())
def test_what_was_typed_is_escaped_in_html_and_stays_within_its_line(letters: EmailTemplates, occasion: str) -> None:
    asked = content_for(letters, occasion, "en")
    plain = letters.write(occasion, "en", asked)
    typed = letters.write(occasion, "en", {name: text if name in TIMES else HOSTILE for name, text in asked.items()})
    assert "<script" not in typed.html and "Portal</script>" not in typed.html
    assert "\n" not in typed.subject
    assert f'href="{PORTAL}/evil"' not in typed.html
    assert typed.html.count("<td") == plain.html.count("<td")


def test_a_language_without_letters_gets_english_and_a_missing_value_is_an_error(letters: EmailTemplates) -> None:
    content = {"customer_number": "C00000042"}
    assert letters.write("welcome", "fr", content) == letters.write("welcome", "en", content)
    with pytest.raises(jinja2.UndefinedError):
        letters.write("welcome", "en", {})
    with pytest.raises(jinja2.TemplateNotFound):
        letters.write("no_such_occasion", "en", content)


def test_the_code_stands_alone_where_it_can_be_copied(letters: EmailTemplates) -> None:
    letter = letters.write("sign_up_code", "en", {"code": "012345"})
    assert letter.subject.startswith("012345")
    assert "\n012345\n" in letter.text
    assert ">012345</p>" in letter.html


def test_japanese_letters_lead_to_japanese_pages_and_tell_times_in_japan(letters: EmailTemplates) -> None:
    letter = letters.write("phone_changed", "ja", {"at": "2026-11-22T16:30:00+00:00"})
    assert "2026年11月23日 01:30" in letter.text
    assert f'href="{PORTAL}/ja/account"' in letter.html


def test_the_preview_shows_every_occasion_in_every_language(letters: EmailTemplates, tmp_path: Path) -> None:
    index = preview(letters, tmp_path / "mails").read_text()
    for occasion in template_names():
        for language in LANGUAGES:
            assert f'href="{occasion}.{language}.html"' in index
            assert (tmp_path / "mails" / f"{occasion}.{language}.txt").read_text().startswith("Subject: ")
