"""Durations and names in words: as the settings say, in the reader's language."""

import pytest

from portal_app.domain.errors import LineLocked
from portal_app.infra.email.templates import EmailTemplates
from portal_app.infra.settings import Settings
from portal_app.language import Language, _, speaking
from portal_app.language.format import Duration, addressed, duration, listed, person
from portal_app.language.phrase import Phrase


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (1, "1 second", "1秒"), (90, "90 seconds", "90秒"), (60, "1 minute", "1分"), (1800, "30 minutes", "30分"),
        (3600, "1 hour", "1時間"), (5400, "90 minutes", "90分"), (7200, "2 hours", "2時間"), (86400, "1 day", "1日"),
        (3 * 86400, "3 days", "3日"), (0, "0 seconds", "0秒"), (1799, "29 minutes", "29分"),
    ],
)  # fmt: skip
def test_a_duration_is_said_in_both_languages(seconds: int, english: str, japanese: str) -> None:
    with speaking("en"):
        assert duration(seconds) == english
    with speaking("ja"):
        assert duration(seconds) == japanese


def test_words_in_a_row_are_separated_as_the_language_does() -> None:
    with speaking("en"):
        assert listed(["3.0 GB", "until the month's end"]) == "3.0 GB, until the month's end"
    with speaking("ja"):
        assert listed(["3.0 GB", "月末まで"]) == "3.0 GB、月末まで"


def test_a_wait_is_rounded_up() -> None:
    assert duration(1701, rounds_up=True) == "29 minutes"
    assert duration(0.2, rounds_up=True) == "1 second"


def test_a_phrase_says_its_duration_in_the_language_of_its_reader() -> None:
    words = Phrase(
        "This line is still being changed. You can change it again in {wait} at the latest.", wait=Duration(600)
    )
    with speaking("ja"):
        assert "10分" in _(words)
    with speaking("en"):
        assert "10 minutes" in _(words)


def test_a_locked_line_says_how_long_it_is_locked() -> None:
    assert "again in 20 minutes" in _(LineLocked(1150).user_message)


@pytest.mark.parametrize(("language", "said"), [("en", "45 minutes"), ("ja", "45分")])
@pytest.mark.parametrize(
    ("occasion", "setting"),
    [
        ("password_reset", "portal_reset_seconds"),
        ("sign_up_code", "portal_code_seconds"),
        ("email_change_code", "portal_code_seconds"),
        ("sign_in_locked", "portal_unlock_seconds"),
    ],
)
def test_a_mail_says_the_duration_that_is_set(occasion: str, setting: str, language: Language, said: str) -> None:
    mails = EmailTemplates.of(Settings(portal_env="development", **{setting: 2700}))
    content = {"code": "012345", "token": "t", "email": "hana@example.jp"}
    written = mails.write(occasion, language, content)
    assert said in written.text and said in written.html


@pytest.mark.parametrize(
    ("stored", "english", "japanese", "greeting"),
    [
        ("愛子 田中", "愛子 田中", "田中 愛子", "田中 愛子さま"),
        ("マリア クララ 田中", "マリア クララ 田中", "田中 マリア クララ", "田中 マリア クララさま"),
        ("Ben Carter", "Ben Carter", "Ben Carter", "Ben Carter さま"),
        ("田中", "田中", "田中", "田中さま"),
    ],
)
def test_a_japanese_name_has_its_family_name_first_on_japanese_pages(
    stored: str, english: str, japanese: str, greeting: str
) -> None:
    with speaking("en"):
        assert (person(stored), addressed(stored)) == (english, english)
    with speaking("ja"):
        assert (person(stored), addressed(stored)) == (japanese, greeting)
