"""A state sets only variables that it declares: in production any other one is set silently and never shown."""

import ast

from tests.support.sources import python_files, tree_of

CLASSES = {
    node.name: (path, node)
    for path in python_files("portal_app/state")
    for node in ast.walk(tree_of(path))
    if isinstance(node, ast.ClassDef)
}


def test_every_variable_that_a_state_sets_is_declared() -> None:
    found = [
        f"{path}:{target.lineno}: {target.attr}"
        for name, (path, node) in CLASSES.items()
        for target in ast.walk(node)
        if isinstance(target, ast.Attribute) and isinstance(target.ctx, ast.Store)
        if isinstance(target.value, ast.Name) and target.value.id == "self"
        if not _is_plain(name) and target.attr not in _declared(name)
    ]
    assert found == []


def _is_plain(name: str) -> bool:
    """Say whether a class is no state: it sets its attributes in `__init__`, or inherits from a library."""
    return not _bases(name) & {"State"} and not any(key.arg == "mixin" for key in CLASSES[name][1].keywords)


def _bases(name: str) -> set[str]:
    bases = {base.attr if isinstance(base, ast.Attribute) else ast.unparse(base) for base in CLASSES[name][1].bases}
    return bases.union(*(_bases(base) for base in bases if base in CLASSES))


def _declared(name: str) -> set[str]:
    own = {
        item.target.id
        for item in CLASSES[name][1].body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    return own.union(*(_declared(base) for base in _bases(name) if base in CLASSES))
