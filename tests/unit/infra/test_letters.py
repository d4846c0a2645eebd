"""Letters: every occasion can be written, and nothing a person typed becomes markup."""

from pathlib import Path

import jinja2
import pytest

from portal_app.infra import letter_writer
from portal_app.infra.letter_writer import Letters

FOLDER = Path(letter_writer.__file__).parent / "letters"
OCCASIONS = sorted(path.stem for path in FOLDER.glob("*.txt"))
HOSTILE = "<script>alert(1)</script>{{ product }}"
CONTENT = {"code": "012345", "customer_number": "C00000042", "title": HOSTILE, "order_id": "o1"}


@pytest.fixture
def letters() -> Letters:
    return Letters(portal_url="https://portal.example.jp", support="support@example.jp", product="Hikari Portal")


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_every_occasion_has_a_subject_a_text_and_the_same_words_in_html(letters: Letters, occasion: str) -> None:
    letter = letters.write(occasion, "en", CONTENT)
    assert letter.subject
    assert "\n" not in letter.subject
    assert len(letter.subject) < 120
    assert letter.text.endswith("\n")
    for word in ("Sign", "order", "account", "mail"):
        assert (word in letter.text) == (word in letter.html.replace(letter.subject, "")) or word in letter.subject
    assert "{{" not in letter.text.replace(HOSTILE, "")


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_what_was_typed_is_escaped_in_html_and_never_rendered_again(letters: Letters, occasion: str) -> None:
    html = letters.write(occasion, "en", CONTENT).html
    assert "<script" not in html
    assert "Portal</script>" not in html


def test_a_language_without_letters_gets_english_and_a_missing_value_is_an_error(letters: Letters) -> None:
    assert letters.write("welcome", "fr", CONTENT).subject == letters.write("welcome", "en", CONTENT).subject
    with pytest.raises(jinja2.UndefinedError):
        letters.write("welcome", "en", {})
    with pytest.raises(jinja2.TemplateNotFound):
        letters.write("no_such_occasion", "en", CONTENT)


def test_the_code_stands_alone_where_it_can_be_copied(letters: Letters) -> None:
    letter = letters.write("sign_up_code", "en", CONTENT)
    assert letter.subject.startswith("012345")
    assert "\n012345\n" in letter.text
    assert ">012345</p>" in letter.html
