"""Lets one component take a plain value while a page builds or a var of its state."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

Text = str | rx.Var[str]
Flag = bool | rx.Var[bool]
Content = str | rx.Var | rx.Component


def has(value: Any) -> Flag:
    """Say whether a text or list is there: a plain answer for a plain value, a var for a var."""
    return value != "" if isinstance(value, rx.Var) and value._var_type is str else _truth(value)


def when(flag: Flag, content: Any, otherwise: Any = None) -> Any:
    """Choose while the page builds if the flag is plain, in the browser if it is a var."""
    if not isinstance(flag, rx.Var):
        return content if flag else (rx.fragment() if otherwise is None else otherwise)
    return rx.cond(flag, content) if otherwise is None else rx.cond(flag, content, otherwise)


def either(first: Flag, second: Flag) -> Flag:
    """Return "first or second", for plain flags and for vars."""
    if isinstance(first, rx.Var):
        return first | second
    return second if not first else True


def each(rows: Sequence[Any] | rx.Var, render: Any) -> list[rx.Component]:
    """Render every row of a plain sequence or of a list var."""
    return [rx.foreach(rows, render)] if isinstance(rows, rx.Var) else [render(row) for row in rows]


def _truth(value: Any) -> Flag:
    return value.bool() if isinstance(value, rx.Var) else bool(value)
