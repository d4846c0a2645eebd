"""Code and documents use the words of the field: expressions that readers had to decode do not come back."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import ROOT, python_files, tracked, tree_of

# Expression and what to write instead.
FORBIDDEN = {
    "anew": "again, or the verb with re-",
    "behind its back": "in the background",
    "deed": "action",
    "deeds": "actions",
    "desk": "back office",
    "desks": "back offices",
    "for nobody": "in the background",
    "in vain": "without success",
    "kept answer": "cached response",
    "kept answers": "cached responses",
    "known again": "recognised",
    "lane of": "rate limiter of",
    "mend": "fix, or correct",
    "mended": "fixed, or corrected",
    "mends": "fixes, or corrects",
    "mood": "faults",
    "moods": "faults",
    "of anybody else": "of another customer",
    "patience": "deadline",
    "that is none": "that is not one",
    "the long way": "the uncached path",
    "the short way": "the cached path",
    "timetable": "schedule",
    "upkeep": "cleanup",
    "vault": "secrets",
    "whoever": "the caller, the customer, anyone who",
}
# The stored name of a setting.
ALLOWED = {"mirror_patience_seconds"}
PATTERN = re.compile(rf"\b({'|'.join(map(re.escape, sorted(FORBIDDEN, key=len, reverse=True)))})\b", re.IGNORECASE)


def test_no_forbidden_expression_is_in_comments_docstrings_names_or_documents() -> None:
    found = [
        f"{path}:{line}: {word!r}, write: {FORBIDDEN[word.lower()]}"
        for path in _sources()
        for line, text in (_document if path.suffix == ".md" else _python)(path)
        for word in PATTERN.findall(_without_allowed(text))
    ]
    assert found == []


def _sources() -> list[Path]:
    own = Path(__file__).relative_to(ROOT)
    paths = dict.fromkeys((*python_files(), *tracked()))
    return [path for path in paths if path.suffix in (".py", ".md") and path != own]


def _document(path: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), start=1)


def _python(path: Path) -> Iterator[tuple[int, str]]:
    """Yield comments, docstrings and names; other texts are for customers or vendors."""
    for token in tokenize.generate_tokens(io.StringIO((ROOT / path).read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
        elif token.type == tokenize.NAME:
            yield token.start[0], _words_of(token.string)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            text := ast.get_docstring(node)
        ):
            yield node.body[0].lineno, " ".join(text.split())


def _words_of(name: str) -> str:
    return name if name.lower() in ALLOWED else name.replace("_", " ")


def _without_allowed(text: str) -> str:
    return re.sub("|".join(ALLOWED), "", text, flags=re.IGNORECASE)
