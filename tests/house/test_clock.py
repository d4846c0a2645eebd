"""One clock: nothing but infra.clock asks for the time of day, and one constant names Japan's zone."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import python_files, tree_of

_CLOCK = Path("portal_app/infra/clock.py")
_FORBIDDEN = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
_SQL = ("clock_timestamp(", "CURRENT_TIMESTAMP", "CURRENT_DATE", "now()")
# Why a file may ask a clock of its own.
_EXCEPTIONS = {
    "portal_app/infra/redis/rate_limit.py": "the limits library counts its windows by the host's clock",
    "portal_app/services/response_cache.py": "counts as the limits library does",
    "portal_app/integrations/throttling/redis_gate.py": "names the hour of a statistic in Redis",
}
_READS_THE_DATABASE = {
    "portal_app/infra/database/database.py": "reads PostgreSQL's clock for infra.clock",
    "portal_app/infra/checks/database.py": "compares it with the host's",
    "portal_app/models/mirror.py": "reads it inside a transaction, where the order of writers depends on it",
}


def _times_asked(path: Path) -> Iterator[int]:
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (owner, name) in _FORBIDDEN:
                yield node.lineno


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_the_product_asks_one_clock_for_the_time() -> None:
    found = {
        str(path): lines
        for path in python_files("portal_app")
        if path != _CLOCK and (lines := list(_times_asked(path)))
    }
    assert {path: lines for path, lines in found.items() if path not in _EXCEPTIONS} == {}
    assert set(_EXCEPTIONS) <= set(found), "an exception that is not needed any more"


def test_rules_in_sql_get_the_time_as_a_value() -> None:
    found = {
        str(path)
        for path in python_files("portal_app")
        for _, text in _texts(path)
        if any(word in text for word in _SQL) and "SELECT" in text
    }
    assert found <= set(_READS_THE_DATABASE), found


def test_one_constant_names_the_business_zone() -> None:
    found = {str(path) for path in python_files("portal_app") for _, text in _texts(path) if text == "Asia/Tokyo"}
    # WHMCS's own zone is a setting: it is where that WHMCS stands.
    assert found == {"portal_app/language/format.py", "portal_app/infra/settings_vendors.py"}
