"""What looks right in a page and does nothing in the browser."""

import ast

from tests.support.sources import functions_in, python_files, tree_of


def test_nothing_relies_on_a_key_to_run_on_mount_again() -> None:
    """The key lies inside of the component whose effect `on_mount` is: `when_changed` runs again."""
    calls = [
        (path, node.lineno, {keyword.arg for keyword in node.keywords})
        for path in python_files("portal_app/pages", "portal_app/components")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
    ]
    assert [(str(path), line) for path, line, names in calls if {"key", "on_mount"} <= names] == []


def test_a_load_leads_on_by_a_path_and_not_by_a_redirect_of_its_own() -> None:
    """`page_load` makes it replace the page in the browser's history."""
    wrong = [
        (str(path), function.name)
        for path in python_files("portal_app/state")
        for function in functions_in(path)
        if function.name in ("_read_page", "_open_page", "_show_step") and "rx.redirect" in ast.unparse(function)
    ]
    assert wrong == []
