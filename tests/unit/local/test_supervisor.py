"""The supervisor: order, restarts, logs, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal_app.local.errors import HomeInUse, LocalError, PortTaken
from portal_app.local.ports import free_port
from portal_app.local.process import is_running, wait_until
from portal_app.local.supervisor import Supervisor
from tests.support.waiting import LONGEST_SECONDS

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
PARENT = """
import sys
from pathlib import Path
from portal_app.local.supervisor import Supervisor
with Supervisor(Path(sys.argv[1])) as supervisor:
    {adds}
    supervisor.run(on_ready=lambda: print("ready", flush=True))
"""
WITH_GRANDCHILD = [
    sys.executable,
    "-c",
    "import subprocess, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
]


def pid_of(home: Path, name: str) -> int:
    return int((home / "run" / f"{name}.pid").read_text().split()[0])


def start_parent(home: Path, adds: str) -> subprocess.Popen[str]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(adds=adds), str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    return parent


def test_programs_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    note = tmp_path / "order"
    script = (
        "import signal, sys, time; name, note = sys.argv[1:];\n"
        "def leave(*_):\n    open(note, 'a').write(f'{name} down\\n'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave); open(note, 'a').write(f'{name} up\\n'); time.sleep(60)"
    )
    with Supervisor(tmp_path / "home") as supervisor:
        for name in ("first", "second"):
            supervisor.add(
                name,
                [sys.executable, "-c", script, name, str(note)],
                ready=lambda name=name: note.exists() and f"{name} up" in note.read_text(),
            )
        assert supervisor.run(on_ready=lambda: os.kill(os.getpid(), signal.SIGTERM)) == 0
    assert note.read_text().split("\n")[:4] == ["first up", "second up", "second down", "first down"]


def test_a_killed_program_is_started_again_and_a_line_says_so(tmp_path: Path) -> None:
    parent = start_parent(tmp_path, f"supervisor.add('worker', {SLEEPER!r})")
    first = pid_of(tmp_path, "worker")
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: pid_of(tmp_path, "worker") != first, seconds=10)
    parent.send_signal(signal.SIGINT)
    _, said = parent.communicate(timeout=LONGEST_SECONDS)
    assert parent.returncode == 0
    assert "worker ended (killed by SIGKILL); starting it again in 0.5 s" in said


def test_a_program_that_must_not_be_restarted_ends_the_run(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(tmp_path, say=said.append) as supervisor:
        supervisor.add("keeper", SLEEPER)
        supervisor.add(
            "brief", [sys.executable, "-c", "import time; time.sleep(0.3); raise SystemExit(3)"], restart=False
        )
        assert supervisor.run() == 1
    assert any("brief ended (exit code 3)" in line for line in said)


def test_a_program_that_fails_at_its_start_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot find the moon"), Supervisor(tmp_path) as supervisor:
        supervisor.add("web", [sys.executable, "-c", "raise SystemExit('cannot find the moon')"], ready=lambda: False)
        supervisor.run()


def test_log_lines_carry_the_name_and_only_problems_reach_the_terminal(tmp_path: Path) -> None:
    said: list[str] = []
    script = "print('all is well'); print('ERROR the roof leaks', flush=True); import time; time.sleep(60)"
    log = tmp_path / "log" / "web.log"
    with Supervisor(tmp_path, say=said.append) as supervisor:
        supervisor.add("web", [sys.executable, "-c", script], ready=lambda: log.exists() and "roof" in log.read_text())
        supervisor.run(on_ready=lambda: os.kill(os.getpid(), signal.SIGINT))
    assert log.read_text() == "web | all is well\nweb | ERROR the roof leaks\n"
    assert said == ["web: ERROR the roof leaks"]


def test_a_program_that_finds_its_port_taken_says_so_and_the_next_try_begins_without_it(tmp_path: Path) -> None:
    script = "print('port 3010: Address already in use'); print('a line of its trace\\n' * 50); raise SystemExit(1)"
    late = [sys.executable, "-c", script]
    with Supervisor(tmp_path) as supervisor:
        supervisor.add("first", SLEEPER)
        supervisor.add("sandbox", late, ready=lambda: False)
        with pytest.raises(PortTaken, match="sandbox ended at its start"):
            supervisor.run()
        first = pid_of(tmp_path, "first")
        supervisor.drop_programs()
        assert not is_running(first)
        supervisor.add("sandbox", SLEEPER)
        assert supervisor.run(on_ready=lambda: os.kill(os.getpid(), signal.SIGTERM)) == 0


def test_two_supervisors_on_one_home_refuse_clearly(tmp_path: Path) -> None:
    with Supervisor(tmp_path), pytest.raises(HomeInUse, match=f"process {os.getpid()}"), Supervisor(tmp_path):
        pytest.fail("the second one got in")


def test_programs_leave_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    parent = start_parent(tmp_path, f"supervisor.add('worker', {SLEEPER!r})")
    worker = pid_of(tmp_path, "worker")
    parent.kill()
    parent.communicate()
    if sys.platform != "linux":  # no parting signal from the kernel there: the next start sends it
        with Supervisor(tmp_path):
            pass
    assert wait_until(lambda: not is_running(worker), seconds=10)


def test_what_outlives_a_killed_supervisor_is_stopped_at_the_next_start(tmp_path: Path) -> None:
    parent = start_parent(tmp_path, f"supervisor.add('stubborn', {WITH_GRANDCHILD!r})")
    stubborn = pid_of(tmp_path, "stubborn")
    time.sleep(0.3)
    parent.kill()
    parent.communicate()
    said: list[str] = []
    with Supervisor(tmp_path, say=said.append):
        assert not is_running(stubborn)
    assert "left behind" in said[0]


def test_an_attached_server_is_revived_when_it_dies(tmp_path: Path) -> None:
    adds = (
        "from portal_app.local.servers.valkey import EmbeddedValkey\n"
        "    supervisor.attach('valkey', EmbeddedValkey(supervisor.home / 'valkey'))\n"
        f"    supervisor.add('worker', {SLEEPER!r})"
    )
    parent = start_parent(tmp_path, adds)
    pid_file = tmp_path / "valkey" / "valkey.pid"
    first = int(pid_file.read_text())
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: pid_file.exists() and pid_file.read_text() not in ("", str(first)), seconds=10)
    second = int(pid_file.read_text())
    parent.terminate()
    _, said = parent.communicate(timeout=LONGEST_SECONDS)
    assert "valkey died; starting it again." in said
    assert not is_running(second)


def test_the_whole_world_comes_back_on_its_ports_after_kill_minus_nine(tmp_path: Path) -> None:
    adds = (
        "from portal_app.local.ports import PortBook\n"
        "    from portal_app.local.servers.postgres import EmbeddedPostgres\n"
        "    from portal_app.local.servers.valkey import EmbeddedValkey\n"
        "    book = PortBook(supervisor.home)\n"
        "    for kind, name in ((EmbeddedPostgres, 'postgres'), (EmbeddedValkey, 'valkey')):\n"
        f"        server = kind(supervisor.home / name, port=book.claim(name, {free_port()}))\n"
        "        supervisor.attach(name, server)\n"
        f"    supervisor.add('worker', {SLEEPER!r})"
    )
    first = start_parent(tmp_path, adds)
    ports = (tmp_path / "ports.json").read_text()
    first.kill()
    first.communicate()
    second = start_parent(tmp_path, adds)
    assert (tmp_path / "ports.json").read_text() == ports
    second.terminate()
    second.communicate(timeout=LONGEST_SECONDS)
    assert second.returncode == 0
    assert list((tmp_path / "run").glob("*.pid")) == []
