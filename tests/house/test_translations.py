"""A sentence that a customer may read has a Japanese translation, also where it is only the text of an error."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from portal_app.language import LANGUAGES, _, speaking
from tests.support.sources import python_files, tree_of

LAYERS = ("domain", "services", "state", "api", "infra", "integrations", "pages", "components")
# What is written there is for agents, operators or other programs.
NOT_FOR_CUSTOMERS = {
    "portal_app/api/application.py",
    "portal_app/api/http/dependencies.py",
    "portal_app/api/operations/webhooks.py",
    "portal_app/api/public/public_pages.py",
    "portal_app/infra/database/migrate.py",
    "portal_app/infra/settings_document.py",
    "portal_app/integrations/whmcs/webhooks.py",
    "portal_app/services/operations/order_repair.py",
    "portal_app/services/provisioning/review.py",
    "portal_app/services/provisioning/stuck_orders.py",
    "portal_app/services/sim/line_links.py",
    "portal_app/services/sim/line_reconcile.py",
    "portal_app/services/sim/line_termination.py",
    "portal_app/services/sim/top_up_delivery.py",
    "portal_app/domain/calls/call_file.py",
    "portal_app/services/sim_changes/option_billing.py",
    "portal_app/domain/sim/line_comparison.py",
    "portal_app/domain/sim/line_link.py",
    "portal_app/domain/sim/usage_file.py",
}
FOLDERS_OF_OPERATORS = (Path("portal_app/infra/checks"), Path("portal_app/integrations/checks"))
# Calls whose texts no customer reads.
INTERNAL_CALLS = {"OrderStopped", "ValueError", "RuntimeError", "counter", "gauge", "histogram", "Field"}
SENTENCE = re.compile(r"[A-Z][^\n]*\s[^\n]*[.?!]")


def test_every_sentence_for_customers_is_translated() -> None:
    found = [
        f"{path}:{line}: {text!r} " + ("(write a Phrase: its template can be translated)" if is_filled else "")
        for path in python_files()
        if _is_for_customers(path)
        for line, text, is_filled in _sentences(path)
        if is_filled or not _is_translated(text)
    ]
    assert found == []


def _is_for_customers(path: Path) -> bool:
    is_layer = path.is_relative_to("portal_app") and path.parts[1] in LAYERS
    return is_layer and path.as_posix() not in NOT_FOR_CUSTOMERS and path.parent not in FOLDERS_OF_OPERATORS


def _is_translated(text: str) -> bool:
    for language in LANGUAGES:
        with speaking(language):
            if language != "en" and _(text) == text:
                return False
    return True


def _sentences(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield line, text and whether it is filled in by Python and not by a Phrase."""
    tree = tree_of(path)
    hidden = {id(node) for parent in ast.walk(tree) for node in _internal(parent)}
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SENTENCE.fullmatch(node.value):
            yield node.lineno, node.value, False
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            if SENTENCE.fullmatch(text):
                yield node.lineno, text, True


def _internal(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what belongs to docstrings, parts of f-strings and texts of internal calls."""
    if isinstance(node, ast.Expr):
        yield node.value
    if isinstance(node, ast.JoinedStr):
        yield from node.values
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in INTERNAL_CALLS:
            yield from ast.walk(node)
