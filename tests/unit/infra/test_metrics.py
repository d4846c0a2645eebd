"""Metrics: summed over the processes of a host, without dead ones, and never a reason for a process to stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from portal_app.infra import metrics
from portal_app.infra.metrics_folder import HostFigures, Snapshot, folder_of, prepare
from portal_app.infra.metrics_server import Metrics
from portal_app.infra.settings import Settings
from tests.support.sources import ROOT

# A process that counts a request and a socket, prints that and stays until its input ends.
_PROCESS = """
import sys
from pathlib import Path
from portal_app.infra.metrics import count_request, count_socket, set_clock_ahead, set_violations
from portal_app.infra.metrics_folder import Snapshot
count_request("GET", "/api/me", status=200, seconds=0.02)
count_socket(1)
set_clock_ahead(0.5)
set_violations("stuck_orders", 3)
snapshot = Snapshot(Path(sys.argv[1]), "web")
snapshot.write()
print("written", flush=True)
sys.stdin.read()
"""


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", _PROCESS, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(folder / "mapped")}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdout
    assert process.stdout.readline() == b"written\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def shown(folder: Path, kind: str = "web") -> dict[str, float]:
    """Return what is served: each line's name with labels, and its value."""
    lines = generate_latest(HostFigures(folder, kind)).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


REQUESTS = 'portal_http_requests_total{method="GET",route="/api/me",status="200"}'


def test_counters_of_a_killed_process_stay_and_its_gauges_go(tmp_path: Path) -> None:
    with running(tmp_path), running(tmp_path) as victim:
        both = shown(tmp_path)
        assert (both[REQUESTS], both["portal_sockets_open"]) == (2, 2)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        left = shown(tmp_path)
    assert (left[REQUESTS], left["portal_sockets_open"]) == (2, 1)
    assert not any(f'pid="{victim.pid}"' in name for name in left)
    assert left['portal_http_seconds_bucket{le="0.025",method="GET",route="/api/me"}'] == 2


def test_the_latest_value_of_a_gauge_outlives_its_process(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    assert shown(tmp_path)['portal_invariant_violations{invariant="stuck_orders"}'] == 3


def test_dead_processes_leave_no_files(tmp_path: Path) -> None:
    for _ in range(3):
        with running(tmp_path):
            pass
        HostFigures(tmp_path, "web").sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["web.ended.json", "web.sweep"]
    assert shown(tmp_path)[REQUESTS] == 3


def test_merged_counters_of_dead_processes_are_counted_once(tmp_path: Path) -> None:
    with running(tmp_path):
        kept = {path: path.read_text() for path in tmp_path.glob("web-*")}
    HostFigures(tmp_path, "web").sweep()
    for path, text in kept.items():
        path.write_text(text)
    assert shown(tmp_path)[REQUESTS] == 1
    HostFigures(tmp_path, "web").sweep()
    assert shown(tmp_path)[REQUESTS] == 1


def test_a_start_clears_earlier_runs_unless_a_process_is_alive(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    with running(tmp_path):
        HostFigures(tmp_path, "web").clear()
        assert shown(tmp_path)[REQUESTS] == 2
    HostFigures(tmp_path, "web").clear()
    assert shown(tmp_path) == {}


def test_kinds_of_processes_are_summed_apart(tmp_path: Path) -> None:
    with running(tmp_path):
        assert shown(tmp_path, "worker") == {}


def test_no_file_is_mapped_into_memory_whatever_the_library_would_do(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert str(tmp_path) not in Path(f"/proc/{process.pid}/maps").read_text()
        assert not (tmp_path / "mapped").exists()


def own_settings(tmp_path: Path, **changes: Any) -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    values = {"prometheus_multiproc_dir": str(tmp_path / "figures"), "portal_worker_metrics_port": port, **changes}
    return Settings(portal_env="development", **values)


def served(port: int) -> str:
    return str(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())


def test_a_full_disk_loses_new_figures_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Snapshot(tmp_path, "web")
    snapshot.write()
    before = {path.name: path.read_text() for path in tmp_path.glob("*.json")}
    # As on a full disk, any file that grows beyond the limit fails; the signal of the limit is off.
    program = f"""
import resource, signal, structlog
from pathlib import Path
from portal_app.infra.metrics import count_request
from portal_app.infra.metrics_server import Metrics
from portal_app.infra.settings import Settings
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
settings = Settings(portal_env="development", prometheus_multiproc_dir={str(tmp_path)!r})
metrics = Metrics(settings, "web", serves=False)
with structlog.testing.capture_logs() as logs:
    metrics._round()
    metrics._round()
    count_request("GET", "/api/me", status=200, seconds=0.02)
print([log["event"] for log in logs])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "['metrics.not_written']\n"), done.stderr
    assert {path.name: path.read_text() for path in tmp_path.glob("*.json")} == before
    assert not list(tmp_path.glob("*.new"))


def test_a_worker_serves_its_own_figures_and_another_takes_the_port_over(tmp_path: Path) -> None:
    settings = own_settings(tmp_path)
    first, second = Metrics(settings, "worker"), Metrics(settings, "worker")
    first._round()
    second._round()
    assert (first.port, second.port) == (settings.portal_worker_metrics_port, None)
    assert f'portal_build_info{{version="{metrics.__version__}"}} 1.0' in served(settings.portal_worker_metrics_port)
    assert first._server
    first._server.shutdown()
    first._server.server_close()
    second._round()
    assert second._server and "portal_build_info" in served(settings.portal_worker_metrics_port)
    second._server.shutdown()
    second._server.server_close()


def test_a_process_that_stops_has_written_its_last_figures(tmp_path: Path) -> None:
    settings = own_settings(tmp_path)
    running_metrics = Metrics(settings, "worker").start()
    metrics.count_request("GET", "/last-words", status=200, seconds=0.1)
    running_metrics.stop()
    written = [json.loads(path.read_text()) for path in (tmp_path / "figures").glob("worker-*.json")]
    assert "/last-words" in json.dumps(written)


def test_port_0_turns_figures_off(tmp_path: Path) -> None:
    settings = own_settings(tmp_path, portal_worker_metrics_port=0)
    Metrics(settings, "worker").start().stop()
    assert not (tmp_path / "figures").exists()


def test_each_portal_has_a_folder_of_its_own_that_others_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    settings = Settings(portal_env="development", prometheus_multiproc_dir="")
    folder = folder_of(settings)
    prepare(folder)
    assert folder.parent.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
    assert folder_of(settings.model_copy(update={"database_url": "postgresql://other/portal"})) != folder


def test_a_folder_that_somebody_else_laid_out_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"portal-metrics-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    settings = Settings(portal_env="development", prometheus_multiproc_dir="")
    with structlog.testing.capture_logs() as logs:
        Metrics(settings, "worker", serves=False)._round()
    assert [log["event"] for log in logs] == ["metrics.not_written"]
    assert not list((tmp_path / "elsewhere").rglob("*.json"))
