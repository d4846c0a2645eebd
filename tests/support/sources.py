"""The files the house rules look at: whatever git tracks, as it stands in the working tree."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".ico", ".woff2", ".jpg", ".webp", ".gz", ".mo"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """Return every tracked file that exists, relative to the root; an empty answer is an error, not a pass."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = tuple(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file())
    assert paths, "git tracks no files here"
    return paths


def text_files() -> Iterator[tuple[Path, str]]:
    """Yield every tracked text file with its content."""
    for path in tracked():
        if path.suffix not in BINARY:
            yield path, (ROOT / path).read_text(encoding="utf-8")


def python_files(*folders: str) -> list[Path]:
    """Return tracked Python files below the folders (all when none is named), without generated stubs."""
    found = [path for path in tracked() if path.suffix == ".py" and "proto" not in path.parts]
    chosen = [path for path in found if not folders or any(path.is_relative_to(folder) for folder in folders)]
    assert chosen, f"no Python files below {folders}"
    return chosen


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def functions_in(path: Path) -> Iterator[Function]:
    """Yield every function and method of a file, nested ones too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, Function):
            yield node
