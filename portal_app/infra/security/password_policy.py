"""The password policy: minimum length, and no password that guessers try first."""

import itertools
import re
import unicodedata
from pathlib import Path

from portal_app.domain.errors import InvalidInput
from portal_app.language.phrase import Phrase

MIN_LENGTH, MAX_LENGTH = 12, 128
# Longest first, so that a long word is matched before a shorter one inside it.
_WORDS = sorted(Path(__file__).with_name("guessable_words.txt").read_text("ascii").split(), key=len, reverse=True)
_CONTEXT = ("hikari", "portal")
_FAMOUS = frozenset(
    "correcthorsebatterystaple hunter2hunter2 passwordispassword iamthebatman1 openthedoor1 opensesame123".split()
)
# Look-alike characters are replaced by the letters they stand for.
_LOOK_ALIKES = str.maketrans("013457@$!|+", "oieastasilt")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn")
_NEIGHBOURS = frozenset(
    pair for row in _ROWS for first, second in itertools.pairwise(row) for pair in (first + second, second + first)
)
# Guessers try up to two common words with decoration early; a password with more other letters than this is fine.
_MOST_WORDS, _ENOUGH_ELSE = 2, 4
_TOO_SHORT = "Use at least {least} characters; 15 or more are better."


def check_new_password(password: str, *, context: tuple[str, ...] = ()) -> str:
    """Return the password if it meets the policy. Raises InvalidInput for the field `password`.

    `context` holds words of the account: parts of name and e-mail address.
    """
    text = unicodedata.normalize("NFKC", password)
    if len(text) < MIN_LENGTH:
        raise InvalidInput({"password": Phrase(_TOO_SHORT, least=MIN_LENGTH)})
    if len(text) > MAX_LENGTH:
        raise InvalidInput({"password": Phrase("Use at most {most} characters.", most=MAX_LENGTH)})
    folded = text.casefold()
    words = tuple(word.casefold() for word in (*context, *_CONTEXT) if len(word) > 3)
    if _is_monotonous(folded) or _is_personal(folded, words) or _is_common(folded):
        raise InvalidInput({"password": "This password is easy to guess. Choose another one."})
    return password


def _is_monotonous(text: str) -> bool:
    """Return whether a text has few different characters, repeats one group, or follows keyboard or alphabet rows."""
    if len(set(text)) < 4 or re.fullmatch(r"(.{1,4})\1+.{0,3}", text):
        return True
    steps = sum(first == second or first + second in _NEIGHBOURS for first, second in itertools.pairwise(text))
    return steps * 3 >= (len(text) - 1) * 2


def _is_personal(text: str, words: tuple[str, ...]) -> bool:
    rest = text
    for word in words:
        rest = rest.replace(word, "")
    return len(rest) * 2 < len(text)


def _is_common(text: str) -> bool:
    """Return whether a text is at most two common words, decorated with digits, signs and look-alike letters."""
    if re.sub(r"[\W_]", "", text) in _FAMOUS:
        return True
    return any(_is_decorated(re.sub(r"[^a-z]", "", form)) for form in (text, text.translate(_LOOK_ALIKES))) and (
        # Letters of other scripts are not decoration.
        text.isascii()
    )


def _is_decorated(letters: str) -> bool:
    found = 0
    rest = letters
    for word in _WORDS:
        count = rest.count(word)
        if count:
            found += 1
            rest = rest.replace(word, " ")
    return found <= _MOST_WORDS and len(rest.replace(" ", "")) < _ENOUGH_ELSE
