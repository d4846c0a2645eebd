"""Both sides of a case on the measured demo: its customer by API, the agent in the back office."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from benchmarks.demo import NO_LIMITS, Demo, running_demo

_LONGEST_WAIT_SECONDS = 60
# A message leaves at once, so that a figure is not that of the time in which it can be taken back.
_SETTINGS = {
    "PORTAL_UNDO_SECONDS": "0",
    "PORTAL_CASE_LIMIT": "1000000/minute",
    "PORTAL_MESSAGE_LIMIT": "1000000/minute",
    "PORTAL_DOWNLOAD_LIMIT": "1000000/minute",
    "SF_LONG_RATE": "1000000/minute",
}
_SF_ID = "SELECT sf_case_id FROM support_cases WHERE id = %s AND sf_case_id IS NOT NULL"
_SENT = "SELECT 1 FROM support_messages WHERE case_id = %s HAVING count(*) = count(*) FILTER (WHERE state = 'sent')"


class BothSides:
    """A signed-in customer, the back office and the database of one demo."""

    def __init__(self, demo: Demo, customer: httpx.Client, office: httpx.Client, database: psycopg.Connection) -> None:
        self.demo = demo
        self.customer = customer
        self.office = office
        self.database = database

    def ask(self, subject: str = "A question") -> tuple[str, str]:
        """Open a case, wait until Salesforce has it, and return its id here and there."""
        body = {"category": "other", "subject": subject, "text": "Why is that so?"}
        case_id = str(self.post("/api/cases", body)["id"])
        return case_id, str(self.first(_SF_ID, case_id))

    def post(self, path: str, body: object, method: str = "POST") -> dict[str, Any]:
        """Send a request of the customer with a key of its own."""
        answer = self.customer.request(method, path, json=body, headers={"Idempotency-Key": uuid4().hex})
        return dict(answer.raise_for_status().json())

    def agent(self, sf_case_id: str, action: str, **values: object) -> str:
        """Let an agent do something to a case, and return the id that was written."""
        answer = self.office.post(f"/support/{sf_case_id}/{action}", json=values)
        return str(answer.raise_for_status().json()["id"])

    def calls(self) -> int:
        """Return how many calls reached Salesforce so far."""
        return sum(self.office.get("/calls").raise_for_status().json()["salesforce"].values())

    def set_faults(self, **settings: object) -> None:
        """Set Salesforce's faults, or make it healthy."""
        self.office.post("/faults/salesforce", json=settings).raise_for_status()

    def wait_until_sent(self, case_id: str) -> None:
        """Wait until Salesforce has every message of a case."""
        self.first(_SENT, case_id)

    def first(self, query: str, value: object) -> Any:
        """Repeat a query until it returns a value."""
        end = time.monotonic() + _LONGEST_WAIT_SECONDS
        while time.monotonic() < end:
            if row := self.database.execute(query, (value,)).fetchone():
                return row[0]
            time.sleep(0.02)
        raise SystemExit(f"The database has no answer to: {query}")


@contextmanager
def support_demo(home: Path) -> Iterator[Demo]:
    """Run a demo whose messages leave at once."""
    with running_demo(home, **NO_LIMITS, **_SETTINGS) as demo:
        yield demo


@contextmanager
def both_sides(demo: Demo) -> Iterator[BothSides]:
    """Yield both sides, with Ben as the customer."""
    with (
        demo.signed_in() as customer,
        httpx.Client(base_url=f"{demo.office}/api", timeout=60) as office,
        psycopg.connect(demo.database_url(), autocommit=True) as database,
    ):
        yield BothSides(demo, customer, office, database)


def p95(values: list[float]) -> float:
    """Return the value that one of twenty exceeds."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
