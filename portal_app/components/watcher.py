"""Runs a script of the page whenever a value of its state changes.

`on_mount` cannot do that: it runs once for each place in the page, whatever `key` stands beside it.
"""

from typing import Any

import reflex as rx
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData
from reflex_components_core.el.elements.base import BaseHTML

_REACT = {"react": [ImportVar(tag="useEffect"), ImportVar(tag="useRef")]}


class Watcher(BaseHTML):
    """An element that shows nothing and calls `script` with each new `value`."""

    tag = "span"
    value: rx.Var[Any]
    script: rx.Var[Any]
    runs_first: bool = False

    def _exclude_props(self) -> list[str]:
        return ["value", "script", "runs_first"]

    def add_hooks(self) -> list[str | rx.Var[Any]]:
        """Return the hook: the value that is there when the page opens is an old one, unless the script runs first."""
        value, script = self.value, self.script
        known = "undefined" if self.runs_first else value
        call = (
            f"const known = useRef({known}); useEffect(() => {{ const now = {value}; "
            f"if (known.current === now) return; known.current = now; return {script}(now); }}, [{value}]);"
        )
        data = VarData.merge(value._get_all_var_data(), VarData(imports=_REACT))
        return [rx.Var(call, _var_data=data)]


def when_changed(value: rx.Var[Any], script: str, *, runs_first: bool = False) -> rx.Component:
    """Call a function of JavaScript with each new value, and with the first one if it `runs_first`.

    What it returns is called before the next call and at the end.
    """
    return Watcher.create(value=value, script=rx.Var(script), runs_first=runs_first, hidden=True)
