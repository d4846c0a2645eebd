"""PHP's own ways of writing values down: form fields, and serialize in base64 (PHP manual)."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

FormValue = str | int | bool | None | Sequence["FormValue"] | Mapping[str, "FormValue"]
PhpValue = str | int | bool | float | None | Sequence["PhpValue"] | Mapping[str | int, "PhpValue"]
PhpRead = str | int | bool | float | None | dict[str | int, "PhpRead"]

_INTEGER_KEY = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_DEEPEST = 20


def php_form(params: Mapping[str, FormValue]) -> str:
    """Encode parameters as http_build_query does: None left out, booleans as 1 and 0, lists as name[0]."""
    return urlencode([pair for name, value in params.items() for pair in _flat(name, value)])


def php_packed(values: Mapping[str | int, PhpValue]) -> str:
    """Return base64 of a serialized array, as `customfields` wants it."""
    return base64.b64encode(php_serialize(values)).decode()


def php_unpacked(text: str) -> PhpRead:
    """Read base64 of serialized data. Raises ValueError."""
    try:
        return php_unserialize(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise ValueError("not base64") from error


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


def php_unserialize(data: bytes) -> PhpRead:
    """Read scalars and arrays (as dicts). Raises ValueError for anything else: objects and references above all."""
    value, end = _Reader(data).value(0, 0)
    if end != len(data):
        raise ValueError("bytes after the value")
    return value


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


class _Reader:
    """Read serialized bytes by position; lengths are checked before they are used."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def value(self, at: int, depth: int) -> tuple[PhpRead, int]:
        kind = self._data[at : at + 2]
        if kind == b"N;":
            return None, at + 2
        if kind == b"s:":
            return self._text(at + 2)
        if kind == b"a:" and depth < _DEEPEST:
            return self._array(at + 2, depth)
        if kind in (b"i:", b"b:", b"d:"):
            text, end = self._until(b";", at + 2)
            return self._scalar(kind, text), end
        raise ValueError("unsupported serialized type")

    @staticmethod
    def _scalar(kind: bytes, text: str) -> int | bool | float:
        if kind == b"d:":
            return float(text)
        number = int(text)
        if kind == b"i:":
            return number
        if number not in (0, 1):
            raise ValueError("not a boolean")
        return bool(number)

    def _text(self, at: int) -> tuple[str, int]:
        digits, start = self._until(b":", at)
        end = start + 1 + _length(digits)
        if self._data[start : start + 1] != b'"' or self._data[end : end + 2] != b'";':
            raise ValueError("string length does not fit")
        return self._data[start + 1 : end].decode(), end + 2

    def _array(self, at: int, depth: int) -> tuple[PhpRead, int]:
        digits, at = self._until(b":", at)
        if self._data[at : at + 1] != b"{":
            raise ValueError("array without its brace")
        at += 1
        found: dict[str | int, PhpRead] = {}
        for _ in range(_length(digits)):
            key, at = self.value(at, depth + 1)
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise ValueError("array key of a wrong type")
            found[key], at = self.value(at, depth + 1)
        if self._data[at : at + 1] != b"}":
            raise ValueError("array without its end")
        return found, at + 1

    def _until(self, mark: bytes, at: int) -> tuple[str, int]:
        end = self._data.find(mark, at)
        if end < 0 or end - at > 40:
            raise ValueError("unfinished value")
        return self._data[at:end].decode("ascii"), end + 1


def _length(digits: str) -> int:
    if not digits.isdigit():
        raise ValueError("not a length")
    return int(digits)
