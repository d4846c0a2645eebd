"""The block and house number of a Japanese address as WHMCS keeps it: digits and hyphens."""

import re

from portal_app.domain.profile.japanese_text import fold_width

# What Japanese keyboards write for a hyphen between numbers, the long-vowel mark among them.
DASHES = re.compile(r"(?<=\d)\s*[‐‑‒–—―−ー－]\s*(?=\d)")
_DIGITS = {numeral: digit for digit, numeral in enumerate("〇一二三四五六七八九")} | {"零": 0}
_TENS = re.compile(
    "(?P<hundreds>[一二三四五六七八九]?百)?(?P<tens>[一二三四五六七八九]?十)?(?P<ones>[〇一二三四五六七八九]?)"
)
# Words between the numbers; a numeral is one only beside such a word, so that 三島 stays a name.
_WORD = "丁目|番地の?|番町|番館|番|号室|号棟|号|室|階|ノ|の|之"
_BESIDE_A_WORD = re.compile(
    f"[〇零一二三四五六七八九十百]+(?={_WORD})|(?<=[ノの之番号目地-])[〇零一二三四五六七八九十百]+(?![^\\s-])"
)
_WORDS = re.compile(r"丁目|番地の?|番|号室|号|室|(?<=\d)\s*[ノの之]\s*(?=\d)")


def romanised_street(street: str) -> str:
    """Return a street line with its words replaced by hyphens: 1丁目2番3号 is 1-2-3.

    What is not numbers stays as it is: whether the result is Latin is for the caller to check.
    """
    plain = DASHES.sub("-", fold_width(street)).strip()
    plain = _BESIDE_A_WORD.sub(lambda numerals: _number(numerals[0]), plain)
    if not _WORDS.search(plain):
        return plain
    parted = re.sub(r"[\s-]*-[\s-]*", "-", _WORDS.sub("-", plain))
    # A space between two numbers parts them, as a room does that stands behind the house number.
    return re.sub(r"(?<=\d)\s+(?=\d)", "-", parted).strip("- ")


def _number(numerals: str) -> str:
    """Return a number written in numerals, by place (二〇) or with tens and hundreds, as digits."""
    found = _TENS.fullmatch(numerals)
    if found is None or not set("十百") & set(numerals):
        return "".join(str(_DIGITS.get(numeral, "")) for numeral in numerals)
    hundreds, tens, ones = (found[name] for name in ("hundreds", "tens", "ones"))
    return str(_times(hundreds, 100) + _times(tens, 10) + (_DIGITS[ones] if ones else 0))


def _times(numeral: str | None, unit: int) -> int:
    if not numeral:
        return 0
    return unit * (_DIGITS[numeral[0]] if len(numeral) > 1 else 1)
