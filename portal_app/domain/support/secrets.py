"""Finds in a text what should not be written to support: card numbers, passwords, PINs and eSIM identifiers."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Literal

from portal_app.domain.errors import SecretsFound

Secret = Literal["card", "password", "pin", "eid"]
# Digits with at most one space or hyphen between two of them.
_NUMBER = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,39}(?![\d-])")
_EID_DIGITS = 32
# First digits of cards; 89 begins the number that is printed on a SIM, which has a check digit of the same kind.
_CARD = re.compile(r"(?!89)[2-6]\d{12,18}")
_SAYS = r"(?:\s*(?:[:=]|\bis\b|は))+\s*[\"'「]?"
_PASSWORD = re.compile(r"(?:\bpass(?:word|phrase|code)?|\bpwd|\bpw|パスワード)" + _SAYS + r"(?P<value>[!-~]{4,})", re.I)
_PIN = re.compile(
    r"(?:\bpin\b|\bpuk\b|\bcv[cv]\b|暗証番号|ピン|セキュリティ\s?コード|認証コード)(?:\s?(?:code|number|コード))?"
    r"(?:" + _SAYS + r"|[\s「]*)(?P<value>\d{3,8})(?!\d)",
    re.I,
)


def secrets_in(text: str) -> frozenset[Secret]:
    """Return the kinds of secrets that a text seems to hold, full-width digits included."""
    return frozenset(_found(unicodedata.normalize("NFKC", text)))


def refuse_secrets(text: str, *, confirmed: bool, known: Collection[str] = ()) -> None:
    """Raise SecretsFound for a text with secrets of a kind that is not `known` to the customer, unless confirmed."""
    found = secrets_in(text) - frozenset(known)
    if found and not confirmed:
        raise SecretsFound(found)


def _found(text: str) -> Iterator[Secret]:
    for match in _NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if len(digits) == _EID_DIGITS and digits.startswith("89"):
            yield "eid"
        elif _CARD.fullmatch(digits) and _has_check_digit(digits):
            yield "card"
    # "My password is wrong" names none: a value that follows plain words has a digit or a sign in it.
    for match in _PASSWORD.finditer(text):
        is_told = any(sign in match[0] for sign in ":=は")
        if is_told or not match["value"].rstrip(".,!?").isalpha():
            yield "password"
    if _PIN.search(text):
        yield "pin"


def _has_check_digit(digits: str) -> bool:
    """Say whether the last digit is right by the formula of Luhn (ISO/IEC 7812-1)."""
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(value // 10 + value % 10 for value in doubled)) % 10 == 0
