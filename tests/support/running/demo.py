"""The demo as a newcomer starts it: the one world in which all programs run together."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from portal_app.jobs.demo_customers import PASSWORD
from portal_app.local.servers.postgres import EmbeddedPostgres
from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).resolve().parents[3]
AIKO, BEN = "aiko@example.jp", "ben@example.jp"


@dataclass(frozen=True)
class Demo:
    """The running demo: the portal's address, the back office's, its home folder, the process that holds it all."""

    url: str
    office: str
    home: Path
    process: subprocess.Popen[bytes]

    def mail(self, to: str, subject: str, *, after: int = 0) -> str:
        """Return the text of the newest mail to somebody whose subject contains some words, waiting for it."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            found = self.mails(to)
            texts = [mail["text"] for mail in found[: len(found) - after] if subject in mail["subject"]]
            if texts:
                return texts[0]
            time.sleep(0.1)
        raise AssertionError(f"no mail {subject!r} to {to}: {[mail['subject'] for mail in self.mails(to)]}")

    def mails(self, to: str) -> list[dict]:
        """Return all mails to somebody, newest first."""
        return httpx.get(f"{self.office}/api/mail", params={"to": to}, timeout=LONGEST_SECONDS).json()[::-1]

    def code(self, to: str, *, after: int = 0) -> str:
        """Return the six-digit code that was mailed to somebody; the oldest `after` mails do not count."""
        return re.search(r"\b\d{6}\b", self.mail(to, "code", after=after))[0]

    def link(self, to: str, subject: str) -> str:
        """Return the first link in a mail to somebody."""
        return re.search(r"https?://\S+", self.mail(to, subject))[0]

    def database_url(self) -> str:
        """Return the address of the demo's database."""
        port = json.loads((self.home / "ports.json").read_text())["postgres"]["port"]
        return EmbeddedPostgres(self.home / "postgres", port=port).url()

    def log(self, program: str) -> list[dict]:
        """Return the lines that a program wrote to its log so far. Raises ValueError for one that is not JSON."""
        lines = (self.home / "log" / f"{program}.log").read_text().splitlines()
        # The supervisor puts the program's name in front.
        return [json.loads(line.partition(" | ")[2]) for line in lines]

    def orders(self) -> list[dict]:
        """Return the orders an agent sees, newest first."""
        return httpx.get(f"{self.office}/api/orders", timeout=LONGEST_SECONDS).json()

    def decide(self, sf_order_id: str, decision: str) -> None:
        """Approve or reject an order as an agent."""
        httpx.post(f"{self.office}/api/orders/{sf_order_id}/{decision}", timeout=LONGEST_SECONDS).raise_for_status()

    def decide_identity(self, number: str, decision: str) -> None:
        """Verify or reject the identity of a customer as an agent."""
        httpx.post(f"{self.office}/api/identities/{number}/{decision}", timeout=LONGEST_SECONDS).raise_for_status()

    def pending_check(self) -> str:
        """Return the account of the address check that waits for an agent, once it is there."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            checks = httpx.get(f"{self.office}/api/address-checks", timeout=LONGEST_SECONDS).json()
            if waiting := [check["id"] for check in checks if check["status"] == "Pending"]:
                return waiting[0]
            time.sleep(0.1)
        raise AssertionError("no address check waits for an agent")

    def answer_check(self, account: str, offers: list[str], *, note: str) -> None:
        """Answer an address check as an agent."""
        body = {"offers": offers, "note": note}
        httpx.post(f"{self.office}/api/address-checks/{account}", json=body, timeout=LONGEST_SECONDS).raise_for_status()

    def set_faults(self, vendor: str, **faults: object) -> None:
        """Make a vendor slow or dead; without faults it is well."""
        httpx.post(f"{self.office}/api/faults/{vendor}", json=faults, timeout=LONGEST_SECONDS).raise_for_status()


@dataclass(frozen=True)
class Place:
    """Where a demo runs: its data, the tree whose code it runs, the words before its command to run as somebody."""

    home: Path
    tree: Path = ROOT
    somebody: tuple[str, ...] = ()


@contextmanager
def running_demo(place: Place | None = None, word: str = "demo", **settings: str) -> Iterator[Demo]:
    """Run `portal demo` (or `dev`) with quick hashing and generous limits; without a place, in a fresh home."""
    quick = {
        "BCRYPT_ROUNDS": "4",
        "PORTAL_SIGN_IN_LIMIT": "1000/minute",
        "PORTAL_ACCOUNT_SIGN_IN_LIMIT": "1000/minute",
        "PORTAL_HASH_SECONDS": "60",
        "PORTAL_ORDER_LIMIT": "1000/minute",
        "PORTAL_SAME_ORDER_LIMIT": "1000/minute",
        "PORTAL_LINK_LIMIT": "1000/minute",
        "PORTAL_CHANGE_LIMIT": "1000/minute",
        "PORTAL_LOCK_TRIES": "1000",
        "PORTAL_POLL_SECONDS": "0.25",
    }
    with tempfile.TemporaryDirectory(prefix="portal-journeys-") as folder:
        place = place or Place(Path(folder) / "home")
        log = Path(folder) / "demo.log"
        arguments = [word, "--home", str(place.home), "--port", str(_first_port())]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*place.somebody, sys.executable, "-m", "portal_app.cli", *arguments],
                cwd=place.tree,
                env={**os.environ, **quick, **settings, "PYTHONPATH": str(place.tree), "HOME": str(place.home.parent)},
                stdout=output,
                stderr=output,
            )
        try:
            yield _when_ready(process, log, place.home)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(LONGEST_SECONDS)


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in and wait for the dashboard."""
    page.goto("/auth/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def fill_details(page: Page) -> None:
    """Fill in who and where; the postcode brings most of the address."""
    page.get_by_label("First name", exact=True).fill("Hana")
    page.get_by_label("Last name", exact=True).fill("Sato")
    page.get_by_label("Phone").fill("090-1234-5678")
    page.get_by_label("Postcode").fill("1060044")
    expect(page.get_by_label("Town", exact=True)).to_have_value("東麻布")
    page.get_by_label("Block and house number").fill("1-5-12")
    page.get_by_label("Password", exact=True).fill("seven green apples")
    page.get_by_role("checkbox").check()


def _first_port() -> int:
    """Return a port to begin at: a demo takes twenty from there on, below all that single servers of tests get."""
    # Browsers refuse 10080.
    return 10_100 + 40 * secrets.randbelow(147)


def _when_ready(process: subprocess.Popen[bytes], log: Path, home: Path) -> Demo:
    deadline = time.monotonic() + 2 * LONGEST_SECONDS
    while time.monotonic() < deadline:
        text = log.read_text()
        if "Ctrl-C stops" in text:
            url = re.search(r"Portal\s+(http\S+)", text)[1]
            return Demo(url, re.search(r"Back office\s+(http\S+)", text)[1], home, process)
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise AssertionError(f"the demo did not start:\n{log.read_text()[-3000:]}")
