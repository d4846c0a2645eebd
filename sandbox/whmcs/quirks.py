"""The same answer in the other forms that WHMCS's versions give it (fact sheet 1.7), by switch."""

from typing import Any

from sandbox.store import Document

FORMS = ("flattened_lists", "gappy_lists", "single_rows", "empty_texts", "missing_lists")


def with_quirk(answer: Document, form: str) -> Document:
    """Return an answer whose lists of rows are written in one of FORMS."""
    if form == "flattened_lists":
        return _flattened(answer)
    shown = _reshaped(answer, form)
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
