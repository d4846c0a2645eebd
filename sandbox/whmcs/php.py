"""PHP's ways with forms, serialized values and JSON, as WHMCS shows them to its callers."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

Value = Any
_KEY = re.compile(r"^([^\[]+)((?:\[[^\]]*\])*)")
_SCALARS: dict[bytes, Callable[[str], Value]] = {b"i:": int, b"b:": lambda text: text == "1", b"d:": float}
_INTEGER_KEY = re.compile(r"^(0|-?[1-9][0-9]{0,17})$")
_MOST_FIELDS = 1000


class Malformed(ValueError):
    """The text is not a serialized PHP value of a kind that is safe to read."""


def parse_form(raw: str) -> dict[str, Value]:
    """Decode a form body as PHP fills $_POST: arrays become dicts keyed by their index as text."""
    fields: dict[str, Value] = {}
    # PHP reads max_input_vars fields and leaves the rest out.
    for name, value in parse_qsl(raw, keep_blank_values=True)[:_MOST_FIELDS]:
        match = _KEY.match(name.lstrip())
        if match:
            path = [re.sub(r"[. ]", "_", match[1]), *re.findall(r"\[([^\]]*)\]", match[2])]
            _assign(fields, path, value)
    return fields


def unserialize(text: str) -> Value:
    """Decode base64 of PHP serialize(). Arrays become dicts. Objects and references raise Malformed."""
    try:
        raw = base64.b64decode(text, validate=True)
        value, end = _read(raw, 0)
    except (binascii.Error, ValueError, IndexError, RecursionError) as error:
        raise Malformed(str(error)) from error
    if end != len(raw):
        raise Malformed("trailing bytes")
    return value


def json_encode(value: Value) -> str:
    """Encode as PHP's json_encode does by default: escaped slashes and \\uXXXX for everything beyond ASCII."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/")


def integer(text: object) -> int:
    """Cast as PHP's (int) does: leading digits count, anything else is 0."""
    match = re.match(r"\s*([+-]?[0-9]{1,18})", str(text))
    return int(match[1]) if match else 0


def _assign(fields: dict[str, Value], path: list[str], value: str) -> None:
    for step in path[:-1]:
        step = step if step else _next_index(fields)
        if not isinstance(fields.get(step), dict):
            fields[step] = {}
        fields = fields[step]
    fields[path[-1] if path[-1] else _next_index(fields)] = value


def _next_index(fields: dict[str, Value]) -> str:
    return str(max((int(key) for key in fields if _INTEGER_KEY.match(key)), default=-1) + 1)


def _read(raw: bytes, at: int) -> tuple[Value, int]:
    kind = raw[at : at + 2]
    if kind == b"N;":
        return None, at + 2
    if kind == b"s:":
        return _read_text(raw, at + 2)
    if kind == b"a:":
        return _read_array(raw, at + 2)
    if kind not in _SCALARS:
        raise Malformed(f"type {kind!r} is refused")
    end = raw.index(b";", at)
    word = raw[at + 2 : end].decode("ascii")
    return _SCALARS[kind](word), end + 1


def _read_text(raw: bytes, at: int) -> tuple[str, int]:
    colon = raw.index(b":", at)
    start = colon + 2
    end = start + int(raw[at:colon])
    if raw[colon + 1 : start] != b'"' or raw[end : end + 2] != b'";':
        raise Malformed("string length does not match its bytes")
    return raw[start:end].decode("utf-8"), end + 2


def _read_array(raw: bytes, at: int) -> tuple[dict[int | str, Value], int]:
    colon = raw.index(b":", at)
    count, at = int(raw[at:colon]), colon + 2
    if raw[colon + 1 : at] != b"{":
        raise Malformed("array without braces")
    items: dict[int | str, Value] = {}
    for _ in range(count):
        key, at = _read(raw, at)
        if not isinstance(key, int | str):
            raise Malformed("array key is neither integer nor string")
        items[key], at = _read(raw, at)
    if raw[at : at + 1] != b"}":
        raise Malformed("array is not closed")
    return items, at + 1
