"""Worlds of their own: one that is killed and started again, and one in which a page is being written."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.support.running.demo import BEN, ROOT, Demo, Place, running_demo, sign_in

# A second build of the pages and three starts of the demo: with the long runs.
pytestmark = pytest.mark.soak
NOBODY = 65534
# An ordinary user who may read everything: the interpreter itself may lie in root's own folder.
AS_NOBODY = (
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)  # fmt: skip
SKU = "VPN-REMOTE-ACCESS-USA-SF"
TITLE = '_("VPN plans"), '
GENERATED = (".git", ".venv", ".web", ".portal", ".states", "__pycache__", ".*_cache", "reflex.lock")


@pytest.fixture
def place() -> Iterator[Place]:
    """A copy of the tree, as a fresh clone would be, that belongs to an ordinary user where we can become one."""
    with tempfile.TemporaryDirectory(prefix="portal-clone-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*GENERATED))
        somebody = AS_NOBODY if os.geteuid() == 0 else ()
        if somebody:
            for path in (Path(folder), *Path(folder).rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        yield Place(Path(folder) / "home", tree, somebody)


def test_killed_demo_comes_back_with_what_both_sides_knew(browser: Browser, tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    with running_demo(place) as demo:
        known = len(demo.orders())
        order = _order(browser, demo)
        _until(lambda: len(demo.orders()) > known)
        review = demo.orders()[0]
        demo.process.kill()
        demo.process.wait()
    with running_demo(place) as demo:
        assert demo.orders()[0] == review
        assert _stage(browser, demo, order) == "in_review"
        demo.decide(review["id"], "approve")
        _until(lambda: _stage(browser, demo, order) == "active")


def test_changed_page_is_seen_in_dev_mode_by_an_ordinary_user(place: Place) -> None:
    with running_demo(place, "dev") as demo:
        assert ">VPN plans<" in _text(demo, "/plans/vpn") and "[[" not in _text(demo, "/plans/vpn")
        source = place.tree / "portal_app" / "pages" / "public" / "plans.py"
        assert TITLE in source.read_text()
        source.write_text(source.read_text().replace(TITLE, '"Plans for elsewhere", '))
        _until(lambda: ">Plans for elsewhere<" in _text(demo, "/plans/vpn"))
        assert "[[" not in _text(demo, "/plans/vpn")


def _order(browser: Browser, demo: Demo) -> str:
    with browser.new_context(base_url=demo.url) as context:
        sign_in(context.new_page(), BEN)
        headers = {"Idempotency-Key": "one-and-only", "Origin": demo.url}
        placed = context.request.post("/api/orders", data={"sku": SKU, "terms_accepted": True}, headers=headers)
        assert placed.ok, placed.text()
        return placed.json()["id"]


def _stage(browser: Browser, demo: Demo, order: str) -> str:
    with browser.new_context(base_url=demo.url) as context:
        sign_in(context.new_page(), BEN)
        return context.request.get(f"/api/orders/{order}").json()["stage"]


def _text(demo: Demo, path: str) -> str:
    try:
        return httpx.get(demo.url + path).text
    except httpx.TransportError:
        return ""


def _until(condition: Callable[[], bool], *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.2)
