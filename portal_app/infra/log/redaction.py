"""Redacts log lines: removes values of secret keys and texts that look like secrets, and limits the length."""

import re
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from itertools import islice
from typing import Any

Line = MutableMapping[str, Any]
Renderer = Callable[[Any, str, Line], Any]

# Characters of one line, so that requests cannot fill a disk; most lines have 300.
LONGEST_LINE = 8 * 1024
MARK = "[redacted]"
# Values are redacted if the name of their key is in this list or ends with one of _ENDINGS.
REDACTED = frozenset(
    """
    password password2 passwd secret token access_token refresh_token authorization cookie set_cookie code email to
    recipient phone phonenumber first_name last_name firstname lastname full_name name address address1 address2
    street postcode city iccid eid old_eid oldeid imsi lpa activation_code activationcode msisdn authkey auth_key oemkey
    product_number productnumber reservation_number reservenumber birth_date remote_token redirect_url link body
    """.split()
)
_ENDINGS = ("_password", "_secret", "_secrets", "_token", "_email", "_cookie")
# Replaced anywhere in the rendered line, under any key.
_PATTERNS = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        # A JSON Web Token.
        (r"eyJ[\w-]{6,}\.[\w-]+\.[\w-]*", MARK),
        # A cookie of the portal, quoted in any way.
        (r"((?:__Host-)?portal-[a-z]+(?:-\d+)?=)[^;\s\"'\\]+", rf"\1{MARK}"),
        # A secret in a query, a form, or Python or JSON text inside a text.
        (
            r"(?i)((?:password|passwd|secret|token|authorization|cookie|api_?key|auth_?key|oem_?key|private_?key)"
            r"(?:=|'\s*:\s*'|\\\"\s*:\s*\\\")(?:Bearer )?)[^\s'\"\\&;,}]+",
            rf"\1{MARK}",
        ),
        (r"(?i)(bearer |basic )[\w.~+/=-]{8,}", rf"\1{MARK}"),
        # An e-mail address, or a user and password in front of a host.
        (r"[^\s\"'<>(){}\[\],;:/\\@=]+(?::[^\s\"'@/]+)?@[\w.-]+", MARK),
        # A telephone number of ten or eleven digits, Japanese or international.
        (r"(?<![\w.-])(?:\+\d{1,3}[- ]?\d{1,4}|0\d{1,4})[- ]?\d{2,4}[- ]?\d{3,4}(?![\w-])", MARK),
        # The number of a SIM card or an eSIM, and of a payment card.
        (r"(?<![\w.-])89\d{17,30}(?![\w-])", MARK),
        (r"(?<![\w.-])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?![\w-])", MARK),
    )
)
# Cheap searches first, because most lines match none of the patterns: a text in lower case, and the start of a number.
_SUSPECT_TEXTS = (
    "@", "eyj", "portal-", "key", "passw", "secret", "token", "cookie", "authorization", "bearer ", "basic ",
)  # fmt: skip
_SUSPECT_NUMBER = re.compile(r"(?<![\w.-])(?:\+\d|0\d[\d -]|[3-6]\d{3}[ \d-]|89\d{3})")


def redact(_: Any, __: str, line: Line) -> Line:
    """Replace the value of every secret key, at any depth. A structlog processor."""
    return {key: _redacted(key, value) for key, value in line.items()}


def redact_text(text: str) -> str:
    """Return a text with tokens, cookies, secrets, e-mail addresses, phone, SIM and card numbers replaced."""
    lower = text.lower()
    if not (any(suspect in lower for suspect in _SUSPECT_TEXTS) or _SUSPECT_NUMBER.search(text)):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def bounded(render: Renderer) -> Renderer:
    """Return a final processor that renders, redacts by pattern and shortens lines to LONGEST_LINE."""

    def rendered(logger: Any, name: str, line: Line) -> str:
        whole = dict(line)
        text = str(render(logger, name, dict(whole)))
        for longest, most in ((1000, 30), (200, 5), (100, 1)):
            if len(text) <= LONGEST_LINE:
                break
            exception = {key: whole[key] for key in ("exc_info",) if key in whole}
            text = str(render(logger, name, {**_shortened(whole, longest, most), **exception, "cut": True}))
        return redact_text(text[:LONGEST_LINE])

    return rendered


def _redacted(key: Any, value: Any) -> Any:
    if _is_secret(str(key)):
        return MARK
    if isinstance(value, dict):
        return {inner: _redacted(inner, content) for inner, content in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", content) for content in value]
    return value


@lru_cache(maxsize=1000)
def _is_secret(key: str) -> bool:
    name = key.lower().replace("-", "_")
    return name in REDACTED or name.endswith(_ENDINGS)


def _shortened(value: Any, longest: int, most: int, depth: int = 0) -> Any:
    """Return a value with texts cut to `longest` and at most `most` members at each level below the first."""
    if isinstance(value, dict):
        members = islice(value.items(), most if depth else 20 + most)
        return {str(key)[:100]: _shortened(content, longest, most, depth + 1) for key, content in members}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shortened(content, longest, most, depth + 1) for content in islice(value, most)]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
