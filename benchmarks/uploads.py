"""Files: the memory that ten uploads of 25 MB at once take in the web processes, and what a cut costs."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from benchmarks.demo import Demo
from benchmarks.peers.serve import bare_route
from benchmarks.peers.storing import TABLE
from benchmarks.stage import Stage
from benchmarks.table import Row, at_least, within

_TUS = {"Tus-Resumable": "1.0.0"}
_FILES, _MEGABYTE = 10, 1024 * 1024
_SIZE, _CHUNK = 25 * _MEGABYTE, b"x" * 65536
# As fast as half of what only hashes, and of what only seals and stores each part in PostgreSQL.
AS_SINK, AS_STORE = 0.5, 0.5
_CUT_AT = _SIZE * 6 // 10


def measure(stage: Stage) -> list[Row]:
    """Send the files at once while the memory of the web processes is watched; then cut one line."""
    pids = _listeners(stage.demo)
    with stage.demo.signed_in() as client:
        idle, peak, is_over = _memory(pids), [0.0], threading.Event()
        watch = threading.Thread(target=_watch, args=(pids, peak, is_over))
        watch.start()
        ours = _rate(client, lambda: _begin(client), status=204)
        is_over.set()
        watch.join()
        again = _lost_by_a_cut(client)
    database = stage.demo.database_url()
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(TABLE)
    with bare_route(stage.scratch, b"{}", database=database) as url, httpx.Client(base_url=url) as client:
        sink = _rate(client, lambda: "/sink", status=200)
        store = _rate(client, lambda: "/store", status=200)
    return [
        within("ten 25 MB uploads at once: memory of the web processes above idle", peak[0] - idle, "MB", limit=32),
        at_least("ten 25 MB uploads at once", ours, "MB/s", peer=("a sink that hashes", sink), least=AS_SINK),
        at_least("the same", ours, "MB/s", peer=("one that seals and stores", store), least=AS_STORE),
        within("cut at 60 %: bytes sent again", again / _MEGABYTE, "MB", limit=1),
    ]


def _rate(client: httpx.Client, begin: Callable[[], str], *, status: int) -> float:
    """Send ten files at once and return how many MB a second were taken."""
    began = time.perf_counter()
    with ThreadPoolExecutor(_FILES) as threads:
        statuses = set(threads.map(lambda _: _send(client, 0, begin(), _SIZE), range(_FILES)))
    if statuses != {status}:
        raise SystemExit(f"uploads got {statuses}")
    return _FILES * _SIZE / _MEGABYTE / (time.perf_counter() - began)


class _Cut(Exception):
    """The line is cut."""


def _begin(client: httpx.Client) -> str:
    answer = client.post("/api/uploads", headers={**_TUS, "Upload-Length": str(_SIZE)})
    return answer.raise_for_status().headers["location"]


def _send(client: httpx.Client, offset: int, path: str, end: int) -> int:
    headers = {**_TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    headers["Content-Length"] = str(_SIZE - offset)
    return client.patch(path, headers=headers, content=_chunks(end - offset, _SIZE - offset), timeout=120).status_code


def _chunks(size: int, whole: int) -> Iterator[bytes]:
    for _ in range(size // len(_CHUNK)):
        yield _CHUNK
    if size < whole:
        # Fewer bytes than announced: the client hangs up.
        raise _Cut


def _lost_by_a_cut(client: httpx.Client) -> int:
    """Return how many bytes that were sent before a cut are to be sent again."""
    path = _begin(client)
    with contextlib.suppress(_Cut):
        _send(client, 0, path, _CUT_AT)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        offset = int(client.head(path, headers=_TUS).headers["upload-offset"])
        if _send(client, offset, path, _SIZE) != 423:
            return _CUT_AT // len(_CHUNK) * len(_CHUNK) - offset
        time.sleep(0.2)
    raise SystemExit("the cut upload could not go on")


def _watch(pids: list[int], peak: list[float], is_over: threading.Event) -> None:
    while not is_over.wait(0.02):
        peak[0] = max(peak[0], _memory(pids))


def _memory(pids: list[int]) -> float:
    """Return the resident memory of processes in MB."""
    found = (re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in pids)
    return sum(int(each[1]) for each in found if each) / 1024


def _listeners(demo: Demo) -> list[int]:
    """Return the processes that hold the demo's port."""
    port = f":{urlsplit(demo.url).port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(port) and line[3] == "0A"}
    folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return [int(folder.name) for folder in folders if sockets & _open(folder)]


def _open(folder: Path) -> set[str]:
    try:
        return {str(each.readlink()) for each in (folder / "fd").iterdir()}
    except OSError:
        return set()
