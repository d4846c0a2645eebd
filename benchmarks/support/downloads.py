"""A file of 25 MB: the memory of the web processes, and a quick reader beside four slow ones."""

import base64
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from benchmarks.stage import Stage
from benchmarks.support.both_sides import BothSides, both_sides
from benchmarks.table import Row, versus, within
from benchmarks.uploads import listeners, memory_of, watching

SIZE, MEGABYTE = 25 * 1024 * 1024, 1024 * 1024
MOST_MEMORY, MOST_BESIDE = 16, 2.0
READERS, SLOW_BYTES = 4, 50 * 1024
_LONGEST_SECONDS = 120


def measure(stage: Stage) -> list[Row]:
    """Fetch one file alone, and another while four readers take theirs at 50 KB a second."""
    with both_sides(stage.support) as sides:
        case_id, sf_case_id = sides.ask("Files")
        files = [_add(sides, sf_case_id, number) for number in range(READERS + 3)]
        query = f"SELECT 1 FROM support_files WHERE case_id = %s HAVING count(*) = {len(files)}"
        sides.first(query, case_id)
        paths = [f"/api/cases/{case_id}/files/{file}" for file in files]
        _read(sides, paths[0])
        pids = listeners(sides.demo)
        idle = memory_of(pids)
        with watching(pids) as peak:
            alone = _read(sides, paths[1])
        over, slow = threading.Event(), paths[2 : 2 + READERS]
        with ThreadPoolExecutor(READERS) as threads:
            begun = [threading.Event() for _ in slow]
            for path, begin in zip(slow, begun, strict=True):
                threads.submit(_read_slowly, sides, path, begin, over)
            if not all(each.wait(_LONGEST_SECONDS) for each in begun):
                raise SystemExit("the slow readers got nothing")
            beside = _read(sides, paths[-1])
            over.set()
    return [
        within("download of 25 MB: memory of the web processes above idle", peak[0] - idle, "MB", limit=MOST_MEMORY),
        versus(
            "download of 25 MB beside four readers at 50 KB/s", beside, "s", peer=("alone", alone), most=MOST_BESIDE
        ),
    ]


def _add(sides: BothSides, sf_case_id: str, number: int) -> str:
    content = base64.b64encode(os.urandom(SIZE)).decode()
    return sides.agent(sf_case_id, "file", name=f"{number}.bin", content=content)


def _read(sides: BothSides, path: str) -> float:
    """Return the seconds in which a whole file arrives."""
    began, size = time.perf_counter(), 0
    with sides.customer.stream("GET", path, timeout=_LONGEST_SECONDS) as answer:
        answer.raise_for_status()
        for part in answer.iter_raw():
            size += len(part)
    if size != SIZE:
        raise SystemExit(f"{path} has {size} bytes")
    return time.perf_counter() - began


def _read_slowly(sides: BothSides, path: str, begun: threading.Event, over: threading.Event) -> None:
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client(base_url=sides.demo.url, cookies=sides.customer.cookies))
        answer = stack.enter_context(client.stream("GET", path, timeout=_LONGEST_SECONDS))
        answer.raise_for_status()
        for _ in answer.iter_raw(SLOW_BYTES):
            begun.set()
            if over.wait(1):
                return
