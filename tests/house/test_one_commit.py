"""Transactions are closed in one place, so that what belongs together is written together."""

import ast
from pathlib import Path

from tests.support.sources import python_files, tree_of

THE_PLACE = Path("portal_app/infra/database/database.py")


def commits_in(path: Path) -> int:
    calls = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
    return sum(isinstance(call.func, ast.Attribute) and call.func.attr == "commit" for call in calls)


def test_commit_stands_once_in_the_whole_product() -> None:
    places = {str(path): count for path in python_files("portal_app") if (count := commits_in(path))}
    assert places == {str(THE_PLACE): 1}
