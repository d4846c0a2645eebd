"""The first step on a bare machine: what makes an environment fresh, and what a person reads when it cannot be."""

import ast
import sys
from pathlib import Path

import pytest

from portal_app.local import bootstrap


def test_bootstrap_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(bootstrap.__file__).read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)


def test_bootstrap_parses_in_the_python_of_an_old_system() -> None:
    ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 8))


def test_the_fingerprint_names_lock_file_python_and_place() -> None:
    digest, python, place = bootstrap.fingerprint().splitlines()
    assert len(digest) == 64
    assert python == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert Path(place) == bootstrap.ROOT / ".venv"


def test_a_missing_command_counts_as_failed() -> None:
    assert not bootstrap.succeeds(["/nowhere/python"])
    assert bootstrap.succeeds([sys.executable, "-c", "pass"])


def test_a_failed_bootstrap_prints_one_sentence() -> None:
    with pytest.raises(SystemExit, match="install python3-venv"):
        bootstrap.stop("On Debian: install python3-venv")
