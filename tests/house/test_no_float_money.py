"""Money is counted in whole units; a float loses yen."""

import ast
import typing
from collections.abc import Iterator
from pathlib import Path

from portal_app.domain.money import Money
from tests.support.sources import ROOT, functions_in, python_files, tree_of

MONEY_WORDS = {"amount", "amounts", "price", "prices", "total", "subtotal", "balance", "fee", "fees", "tax", "yen"}
TIME_WORDS = {"seconds", "timeout", "ms", "minutes", "time"}
FLOAT_COLUMNS = {"Float", "Double", "REAL", "FLOAT", "DOUBLE", "DOUBLE_PRECISION"}


def is_about_money(name: str) -> bool:
    words = set(name.lower().split("_"))
    return bool(words & MONEY_WORDS) and not words & TIME_WORDS


def mentions_float(annotation: ast.expr | None) -> bool:
    return annotation is not None and "float" in {n.id for n in ast.walk(annotation) if isinstance(n, ast.Name)}


def annotated_names(path: Path) -> Iterator[tuple[str, ast.expr | None]]:
    for function in functions_in(path):
        arguments = function.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            yield argument.arg, argument.annotation
        yield function.name, function.returns
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name | ast.Attribute):
            yield node.target.id if isinstance(node.target, ast.Name) else node.target.attr, node.annotation


def test_the_money_of_the_domain_holds_only_whole_numbers() -> None:
    hints = typing.get_type_hints(Money)
    assert int in hints.values()
    assert float not in hints.values()


def test_nothing_named_like_money_is_annotated_as_a_float() -> None:
    found = [
        f"{path}: {name}"
        for path in python_files("portal_app")
        for name, annotation in annotated_names(path)
        if is_about_money(name) and mentions_float(annotation)
    ]
    assert found == []


def test_nothing_named_like_money_is_turned_into_a_float() -> None:
    found = []
    for path in python_files("portal_app"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
                names |= {str(n.value) for n in ast.walk(node) if isinstance(n, ast.Constant)}
                if any(map(is_about_money, names)):
                    found.append(f"{path}:{node.lineno}")
    assert found == []


def test_no_table_has_a_floating_point_column() -> None:
    models = [path for path in python_files("portal_app") if path.is_relative_to("portal_app/models")]
    found = [
        f"{path}:{node.lineno}"
        for path in models
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Name) and node.id in FLOAT_COLUMNS)
        or (isinstance(node, ast.Attribute) and node.attr in FLOAT_COLUMNS)
    ]
    assert found == []
    assert ROOT.joinpath("portal_app/models").is_dir()
