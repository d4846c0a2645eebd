"""Japanese text as its owner writes it: composed, but never in other characters than the typed ones."""

import re
import unicodedata

# Compatibility ideographs (U+FA19 of many family names): NFC and NFKC would replace them by look-alikes.
_KEPT = re.compile("[^\uf900-\ufaff\U0002f800-\U0002fa1f]+")


def compose(text: str) -> str:
    """Return a text in NFC with the customer's own ideographs; a kana and its voicing mark become one character."""
    return _KEPT.sub(lambda part: unicodedata.normalize("NFC", part[0]), text)


def fold_width(text: str) -> str:
    """Return a text in NFKC (full-width digits and Latin, half-width kana) with the customer's own ideographs."""
    return _KEPT.sub(lambda part: unicodedata.normalize("NFKC", part[0]), text)
