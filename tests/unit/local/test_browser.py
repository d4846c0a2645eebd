"""Which browser the journeys use."""

import os
import shutil
from pathlib import Path

import pytest

from portal_app.local.browser import ensure_browser, find_browser


def test_a_browser_on_the_path_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = tmp_path / "chromium"
    chromium.write_text("#!/bin/sh\n")
    chromium.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert find_browser() == str(chromium)
    assert ensure_browser() == str(chromium)


def test_without_one_on_the_path_only_playwrights_own_can_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = find_browser()
    assert found is None or Path(found).exists()
    assert shutil.which("chromium") is None
