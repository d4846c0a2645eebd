"""The same answer in the other forms that WHMCS's versions give it (fact sheet 1.7), by switch."""

import html
from typing import Any

from sandbox.store import Document

_CONTENTS = ("odd_rows", "escaped_texts", "number_texts", "translated_names")
# Contents first: a list that is flattened has no rows any more.
FORMS = (*_CONTENTS, "flattened_lists", "gappy_lists", "single_rows", "empty_texts", "missing_lists")
_AMOUNTS = ("total", "recurringamount", "amountin", "amount")


def with_quirk(answer: Document, form: str) -> Document:
    """Return an answer whose lists of rows are written in one of FORMS."""
    if form == "flattened_lists":
        return _flattened(answer)
    shown = _rewritten(answer, form) if form in _CONTENTS else _reshaped(answer, form)
    return shown if isinstance(shown, dict) else answer


def _flattened(answer: Document) -> Document:
    flat: Document = {}
    for plural, wrapper in answer.items():
        rows = _only_list(wrapper)
        if rows is None:
            flat[plural] = wrapper
            continue
        (singular,) = wrapper
        for place, row in enumerate(rows):
            flat |= {f"{plural}[{singular}][{place}][{name}]": value for name, value in row.items()}
    return flat


def _rewritten(value: Any, form: str) -> Any:
    if isinstance(value, dict):
        inner = {name: _rewritten(item, form) for name, item in value.items()}
        return _translated(inner) if form == "translated_names" else inner
    if isinstance(value, list):
        rows = [_rewritten(item, form) for item in value]
        is_odd = form == "odd_rows" and rows and isinstance(rows[0], dict)
        return [_unreadable(rows[0]), *rows[1:]] if is_odd else rows
    if form == "escaped_texts" and isinstance(value, str):
        return html.escape(value).replace("&#x27;", "&#039;")
    if form == "number_texts" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _unreadable(row: Document) -> Document:
    amounts = {name: "n/a" for name in _AMOUNTS if name in row}
    return row | (amounts or {"id": "n/a"})


def _translated(row: Document) -> Document:
    names = {name: f"訳 {row['id']}" for name in ("translated_name", "translated_groupname") if name in row}
    return row | names


def _reshaped(value: Any, form: str) -> Any:
    if isinstance(value, dict):
        inner = {name: _reshaped(item, form) for name, item in value.items()}
        if form == "missing_lists":
            return {name: item for name, item in inner.items() if item not in ([], {})}
        if form == "empty_texts":
            return {name: "" if _is_empty(item) else item for name, item in inner.items()}
        return inner
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return value
    rows = [_reshaped(item, form) for item in value]
    if form == "gappy_lists" and rows:
        return {str(place * 2 + 1): row for place, row in enumerate(rows)}
    return rows[0] if form == "single_rows" and len(rows) == 1 else rows


def _is_empty(item: Any) -> bool:
    return item == [] or (isinstance(item, dict) and len(item) == 1 and _only_list(item) == [])


def _only_list(wrapper: Any) -> list[Document] | None:
    """Return the rows of {"singular": [rows]}, or None for anything else."""
    if not isinstance(wrapper, dict) or len(wrapper) != 1:
        return None
    rows = next(iter(wrapper.values()))
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None
