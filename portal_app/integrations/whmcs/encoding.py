"""PHP's own ways of writing values down: form fields, and serialize in base64 (PHP manual)."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

FormValue = str | int | bool | None | Sequence["FormValue"] | Mapping[str, "FormValue"]
PhpValue = str | int | bool | float | None | Sequence["PhpValue"] | Mapping[str | int, "PhpValue"]

_INTEGER_KEY = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)


def php_form(params: Mapping[str, FormValue]) -> str:
    """Encode parameters as http_build_query does: None left out, booleans as 1 and 0, lists as name[0]."""
    return urlencode([pair for name, value in params.items() for pair in _flat(name, value)])


def php_packed(values: Mapping[str | int, PhpValue]) -> str:
    """Return base64 of a serialized array, as `customfields` wants it."""
    return base64.b64encode(php_serialize(values)).decode()


def php_serialize(value: PhpValue) -> bytes:
    """Write a value in PHP's serialize format; decimal string keys become integers, as in PHP."""
    if value is None:
        return b"N;"
    if isinstance(value, bool):
        return b"b:%d;" % value
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, float):
        return b"d:%s;" % repr(value).encode()
    if isinstance(value, str):
        raw = value.encode()
        return b's:%d:"%s";' % (len(raw), raw)
    pairs = list(value.items()) if isinstance(value, Mapping) else list(enumerate(value))
    body = b"".join(php_serialize(_array_key(key)) + php_serialize(item) for key, item in pairs)
    return b"a:%d:{%s}" % (len(pairs), body)


def _flat(name: str, value: FormValue) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, bool):
        yield name, str(int(value))
    elif isinstance(value, str | int):
        yield name, str(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(f"{name}[{key}]", item)
    else:
        for index, item in enumerate(value):
            yield from _flat(f"{name}[{index}]", item)


def _array_key(key: str | int) -> str | int:
    return int(key) if isinstance(key, str) and _INTEGER_KEY.fullmatch(key) else key
