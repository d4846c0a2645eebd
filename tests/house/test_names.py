"""Names say what a thing is, in folders, tests and decisions alike."""

import re
from pathlib import Path

from tests.support.sources import functions_in, python_files, tracked

BANNED = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager"}
DECISION = re.compile(r"\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md")
FEWEST_WORDS = 4


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    nameless = [str(path) for path in tracked() if path.suffix == ".py" and BANNED & {*path.with_suffix("").parts}]
    assert nameless == []


def test_every_test_name_is_a_sentence_of_at_least_four_words() -> None:
    short = [
        f"{path}: {function.name}"
        for path in python_files("tests")
        for function in functions_in(path)
        if function.name.startswith("test_") and len(function.name.split("_")) < FEWEST_WORDS
    ]
    assert short == []


def test_every_decision_record_has_a_number_and_a_title() -> None:
    assert _records(), "there are no decision records"
    assert [path.name for path in _records() if not DECISION.fullmatch(path.name)] == []


def test_no_two_decision_records_share_a_number() -> None:
    numbers = [path.name[:4] for path in _records()]
    assert len(numbers) == len(set(numbers))


def test_every_decision_record_has_the_usual_heads_and_a_line_in_the_index() -> None:
    index = Path("docs/decisions/README.md").read_text()
    assert [path.name for path in _records() if f"({path.name})" not in index] == []
    heads = ("Status: ", "## Context", "## Decision", "## Consequences")
    texts = {path.name: path.read_text() for path in _records()}
    assert [(name, head) for name, text in texts.items() for head in heads if f"\n{head}" not in text] == []


def _records() -> list[Path]:
    return [path for path in tracked() if path.parent == Path("docs/decisions") and path.name != "README.md"]
