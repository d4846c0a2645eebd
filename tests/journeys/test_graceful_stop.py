"""SIGTERM under load with open sockets: nobody gets a 5xx, and the process is gone within its drain time."""

import os
import signal
import threading
import time

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.running.demo import BEN, Demo

# It stops the web process that the other journeys walk through: with the long runs.
pytestmark = pytest.mark.soak
DRAIN_SECONDS = 30


def test_web_process_told_to_stop_answers_what_it_began(visit, demo: Demo) -> None:
    page = visit("/dashboard", email=BEN)
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    old = _pid(demo)
    statuses: list[int] = []
    stop = threading.Event()
    threads = [threading.Thread(target=_ask, args=(demo, cookies, statuses, stop)) for _ in range(4)]
    for thread in threads:
        thread.start()
    _until(lambda: len(statuses) > 40)
    began = time.monotonic()
    os.kill(old, signal.SIGTERM)
    _until(lambda: not _is_alive(old))
    assert time.monotonic() - began < DRAIN_SECONDS
    before = len(statuses)
    _until(lambda: len(statuses) > before + 40)
    stop.set()
    for thread in threads:
        thread.join()
    assert [status for status in statuses if status >= 500] == []
    # The page's socket comes back by itself, and the page still works.
    page.get_by_role("link", name="Billing").first.click()
    expect(page.get_by_role("link", name="Invoice 2")).to_be_visible()


def _ask(demo: Demo, cookies: dict[str, str], statuses: list[int], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            statuses.append(httpx.get(f"{demo.url}/api/invoices", cookies=cookies, timeout=10).status_code)
        except httpx.TransportError:
            # Between the old process and the new one nobody listens: a refused connection is not an answer.
            time.sleep(0.05)


def _pid(demo: Demo) -> int:
    return int((demo.home / "run" / "web.pid").read_text().split()[0])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _until(condition, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
