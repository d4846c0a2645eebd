"""Which nginx the tests behind a proxy use."""

import os
from pathlib import Path

import pytest

from portal_app.local.proxy import ensure_nginx, find_nginx


def test_an_nginx_on_the_path_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nginx = tmp_path / "nginx"
    nginx.write_text("#!/bin/sh\n")
    nginx.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert find_nginx() == ensure_nginx() == str(nginx)


def test_debians_nginx_is_found_though_its_folder_is_not_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = find_nginx()
    assert found is None or Path(found).parent.name == "sbin"
