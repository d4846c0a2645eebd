"""Durations come from their settings: no mail or translated text writes one itself, unless it is listed here."""

import re
from collections.abc import Iterator
from pathlib import Path

from portal_app.infra.email.templates import FOLDER
from portal_app.language.catalogue import read_catalogues
from tests.support.sources import ROOT

_NUMBER = r"(?:\d+|half an|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty)"
_UNIT = "(?:second|minute|hour|day|week|month)s?"
_ENGLISH = re.compile(rf"\b{_NUMBER} {_UNIT}\b|\ban? (?:minute|hour|day|week)\b|\b\d+(?:st|nd|rd|th)\b", re.I)
# A date's day ("11月1日") and "three months' fee" are no durations.
_JAPANESE = re.compile(r"(?<![月\d])\d+(?:秒|分|時間|日|週間)")
_USUAL = "what usually happens, in systems of others: no setting decides it"
_EXCEPTIONS = {
    "usually two to four weeks ahead": _USUAL,
    "usually within ten minutes": _USUAL,
    "usually takes up to ten minutes": _USUAL,
    "usually arrives within a minute": _USUAL,
    "Usually within a minute": _USUAL,
    "usually within a minute": _USUAL,
    "this takes a minute or two": _USUAL,
    "usually takes less than a minute": _USUAL,
    "Try again in a few minutes": "no promise",
    "order it in a few minutes": "no promise",
    "Within eight days of receiving the contract document": "the law",
    "Choose a day": "a day of the calendar",
    "On a day I choose": "a day of the calendar",
    "every three months": "a billing period of WHMCS",
    "every six months": "a billing period of WHMCS",
}


def _texts() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    for path in sorted(FOLDER.rglob("*.txt")):
        yield f"{path.parent.name}/{path.name}", path.read_text(), _JAPANESE if path.parent.name == "ja" else _ENGLISH
    for msgid, msgstr in read_catalogues(ROOT / Path("portal_app/language/ja")).items():
        yield msgid, msgid, _ENGLISH
        yield msgid, msgstr, _JAPANESE


def test_no_mail_and_no_text_writes_a_duration_itself() -> None:
    found = [
        (name, match.group())
        for name, text, pattern in _texts()
        for match in pattern.finditer(text)
        if not any(known in name for known in _EXCEPTIONS)
    ]
    assert found == []


def test_no_exception_is_left_over() -> None:
    names = [name for name, _, _ in _texts()]
    assert [known for known in _EXCEPTIONS if not any(known in name for name in names)] == []
