"""Codes as people type or paste them: mailed codes, codes of an authenticator app, recovery codes."""

import re
import unicodedata

# Spaces of any kind, hyphens of any keyboard, and what mails and web pages hide between letters.
_BETWEEN = re.compile("[\\s\\-‐-―−ー\u200b-\u200f\u2060\ufeff]")


def plain_code(text: str) -> str:
    """Return a typed code in half-width lower case without spaces and hyphens."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()
