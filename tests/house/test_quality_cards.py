"""The quality card of each vendor is full, says each thing once, and names the tests that prove it."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CARDS = sorted((ROOT / "portal_app" / "integrations").glob("*/QUALITY.md"))
LINES = {
    "timeouts", "retry-safe calls named", "look-up before second call named", "auth renewal",
    "rate limit and concurrency",
    "errors mapped", "log-once", "secrets redacted", "sandbox parity", "contract suite", "known limits",
}  # fmt: skip
NAMED = re.compile(r"`(tests/[\w/.]+|test_\w+(?:\.py)?)`")


def rows(card: Path) -> list[tuple[str, str]]:
    found = re.findall(r"^\| ([^|]+) \| (.+) \|$", card.read_text(), re.MULTILINE)
    return [(line, state) for line, state in found if line not in ("line", "---")]


@cache
def known() -> set[str]:
    """Return every test, every file of tests and every folder of theirs, as a card may name them."""
    paths = list((ROOT / "tests").rglob("*"))
    files = [path for path in paths if path.suffix == ".py"]
    tests = {name for path in files for name in re.findall(r"def (test_\w+)\(", path.read_text())}
    return tests | {path.name for path in files} | {str(path.relative_to(ROOT)) for path in paths}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_a_card_has_every_line_once_and_each_is_proven_or_says_why_not(card: Path) -> None:
    found = rows(card)
    names = [line for line, _ in found]
    assert set(names) >= LINES and len(set(names)) == len(names)
    assert [line for line, state in found if not re.match(r"done\b|exempt: \w", state)] == []
    unproven = [line for line, state in found if state.startswith("done") and not NAMED.findall(state)]
    assert [line for line in unproven if line != "known limits"] == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_every_test_that_a_card_names_exists(card: Path) -> None:
    named = [name for _, state in rows(card) for name in NAMED.findall(state)]
    assert [name for name in named if name not in known()] == []
