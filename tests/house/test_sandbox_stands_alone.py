"""The sandbox and the product share nothing but the wire: import contracts say so of code, these of state."""

import os
import re
import subprocess
import sys
from pathlib import Path

from portal_app.infra.settings import Settings
from tests.support.running.world import running_sandbox

ROOT = Path(__file__).resolve().parents[2]


def test_sandbox_reads_none_of_the_products_settings() -> None:
    printed = {"WHMCS_", "SF_", "FREEBIT_", "SMTP_", "PORTAL_PRICEBOOK_ID"}  # what it prints for its clients
    names = [name.upper() for name in Settings.model_fields if not name.upper().startswith(tuple(printed))]
    sources = list((ROOT / "sandbox").rglob("*.py"))

    found = [
        (path.name, name) for path in sources for name in names if re.search(rf"""["']{name}["']""", path.read_text())
    ]

    assert found == []


def test_sandbox_runs_without_the_products_environment_and_keeps_to_its_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    poison = {"DATABASE_URL": "postgresql://nowhere.invalid/x", "REDIS_URL": "redis://nowhere.invalid"}

    with running_sandbox(home, **poison) as env:
        port = env["sandbox_url"].rpartition(":")[2]
        written = {path for path in _open_files(port) if path.startswith(str(tmp_path))}

    assert written and all(path.startswith(str(home)) for path in written)
    command = [sys.executable, "-m", "sandbox.main", "env"]
    alone = subprocess.run(command, env=keep | {"SANDBOX_HOME": str(home)}, cwd=ROOT, capture_output=True, text=True)
    assert "SANDBOX_FAULTS_URL=" in alone.stdout and "nowhere.invalid" not in alone.stdout


def _open_files(port: str) -> list[str]:
    """Return the files that the sandbox listening on a port holds open."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if "sandbox.main" in (process / "cmdline").read_text() and _listens(process, port):
                return [str(each.readlink()) for each in (process / "fd").iterdir()]
        except OSError:
            continue
    raise AssertionError("no such process")


def _listens(process: Path, port: str) -> bool:
    wanted = {
        fields[9]
        for fields in (line.split() for line in (process / "net" / "tcp").read_text().splitlines()[1:])
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == int(port)
    }
    return any(str(each.readlink()) in {f"socket:[{inode}]" for inode in wanted} for each in (process / "fd").iterdir())
