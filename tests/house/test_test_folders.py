"""A test is found by the name of what it tests, and its folder needs nothing of another one's."""

import ast
from pathlib import Path

from tests.support.sources import python_files, tracked, tree_of

SUPPORT = "tests.support"
# Layers whose rooms the unit tests repeat.
LAYERS = ("api", "domain", "infra", "jobs", "local", "services")


def test_a_folder_of_tests_imports_from_support_and_from_above_only() -> None:
    strange = [
        f"{path}: {module}"
        for path in python_files("tests")
        for module in _imported(path)
        if not module.startswith(SUPPORT) and module.rpartition(".")[0] not in _above(path)
    ]
    assert strange == []


def test_shared_machinery_imports_from_no_folder_of_tests() -> None:
    strange = [f"{path}: {module}" for path in python_files(SUPPORT.replace(".", "/")) for module in _imported(path)]
    assert [each for each in strange if f": {SUPPORT}" not in each] == []


def test_every_folder_of_unit_tests_is_one_of_the_product() -> None:
    folders = {path.parent for path in tracked() if path.is_relative_to("tests/unit") and path.name.startswith("test_")}
    places = {Path("portal_app", *folder.parts[2:]) for folder in folders if folder.parts[2] in LAYERS}
    assert places and [str(place) for place in places if not place.is_dir()] == []


def _imported(path: Path) -> list[str]:
    """Return the modules of tests a file imports from."""
    found = [node.module or "" for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom)]
    return [module for module in found if module.startswith("tests.")]


def _above(path: Path) -> set[str]:
    """Return the packages a file may import from: its own folder and those above it."""
    return {".".join(path.parts[:depth]) for depth in range(1, len(path.parts))}
