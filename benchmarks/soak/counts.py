"""What came of the orders of a soak, counted at every vendor and in our own tables: everything once, nothing shared."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import select

from benchmarks.soak.customers import End
from benchmarks.soak.lives import Book, Case
from benchmarks.soak.report import Report
from portal_app.domain.identifiers import step_reference
from portal_app.domain.orders.steps import plain_step
from portal_app.infra.database.database import Database
from portal_app.models.email_outbox import Mail
from portal_app.models.sim import SimReservation
from tests.support.clients.portal_driver import PortalDriver

Rows = list[dict[str, Any]]
_STANDS = """
SELECT orders.id, stage,
    coalesce((SELECT step FROM order_events WHERE order_id = orders.id ORDER BY at DESC LIMIT 1), '')
FROM orders WHERE orders.id = ANY(%s)
"""
_BROKEN = "SELECT count(*) FROM dbos.workflow_status WHERE status NOT IN ('SUCCESS', 'PENDING', 'ENQUEUED')"
_ANNOUNCED = "SELECT detail->>'order' FROM audit WHERE tag = 'order:order:activated'"
_UNHANDLED = "SELECT count(*) FROM inbox WHERE handled_at IS NULL"
_MAILS: dict[End, str] = {
    "active": "order_active",
    "not_accepted": "order_not_accepted",
    "waiting_for_card": "order_needs_card",
}
_TALK = {"voiceMail": "10", "callWaiting": "10"}


@dataclass
class World:
    """Everything there is at the vendors and in our tables, read once."""

    services: Rows
    billed: Rows
    invoices: Rows
    reviews: Rows
    checks: Rows
    identities: Rows
    mailbox: Rows
    lines: Rows
    jobs: Rows
    reserved: dict[UUID, SimReservation]
    written: Counter[tuple[str, str]]
    announced: Counter[str]
    stands: dict[UUID, str]

    @classmethod
    async def read(cls, driver: PortalDriver, database: Database, book: Book) -> "World":
        """Ask the back office for everything, and our own tables."""
        pages = "whmcs/services", "whmcs/orders", "whmcs/invoices", "orders", "address-checks", "identities", "mail"
        found = [(await driver.office.get(f"/{page}", timeout=120)).raise_for_status().json() for page in pages]
        network = (await driver.office.get("/sim-lines", timeout=120)).raise_for_status().json()
        async with database.unit_of_work() as session:
            reserved = {row.order_id: row for row in (await session.exec(select(SimReservation))).all()}
            mails = (await session.exec(select(Mail))).all()
        written = Counter((mail.template, str(json.loads(mail.content).get("order_id"))) for mail in mails)
        announced = Counter(row[0] for row in await driver.rows(_ANNOUNCED))
        stands = await how_they_stand(driver, book)
        return cls(*found, network["lines"], network["jobs"], reserved, written, announced, stands)


async def how_they_stand(driver: PortalDriver, book: Book) -> dict[UUID, str]:
    """Return how every order ended or what it waits for, in the words its customer's page is made of."""
    ids = [case.order_id for case in book.cases if case.order_id]
    rows = [(order_id, stage, plain_step(step)) for order_id, stage, step in await driver.rows(_STANDS, ids)]
    waits = ("scheduled", "waiting_for_card", "waiting_for_identity")
    return {order_id: step if stage != "active" and step in waits else stage for order_id, stage, step in rows}


async def count(report: Report, driver: PortalDriver, database: Database, book: Book) -> None:
    """Count everything there is of these orders."""
    world = await World.read(driver, database, book)
    _Counting(report, world, book).everything()
    for case in book.cases:
        if case.wanted.is_sim and case.wanted.ends == "active" and case.order_id in world.reserved:
            await _count_stock(report, driver, world.reserved[case.order_id], case)
    report.count("workflows that broke", await driver.value(_BROKEN), expected=0)
    report.count("events taken in and never applied", await driver.value(_UNHANDLED), expected=0)


async def _count_stock(report: Report, driver: PortalDriver, reserved: SimReservation, case: Case) -> None:
    """Hold our reservation against the inventory: an order that shared a SIM would have lost it there."""
    if reserved.stock_id:
        found = await driver.vendors.sim_inventory.assigned_to(case.sf_order_id)
        is_own = found is not None and (found.id, found.product_number) == (reserved.stock_id, reserved.product_number)
        report.count("SIMs of the inventory that are theirs", int(is_own), what=_name(case))


class _Counting:
    """Count, case by case, what should be there so often."""

    def __init__(self, report: Report, world: World, book: Book) -> None:
        self._report = report
        self._world = world
        self._cases = book.cases

    def everything(self) -> None:
        """Count orders, bills, reviews, lines, houses, documents and mails."""
        self._orders()
        self._whmcs()
        self._salesforce()
        self._lines()
        self._houses()
        self._documents()
        self._mails()

    def _orders(self) -> None:
        ended: Counter[tuple[str, str]] = Counter()
        for case in self._cases:
            stands = self._stands(case)
            ended[case.wanted.kind, stands] += 1
            self._report.count(
                "orders where they should be", int(stands == case.wanted.ends), what=f"{_name(case)} {stands}"
            )
        for (kind, stands), number in sorted(ended.items()):
            self._report.figure(f"{kind}: {stands.replace('_', ' ')}", number)

    def _whmcs(self) -> None:
        orders: dict[str, set[int]] = {}
        for row in self._world.services:
            for value in _values(row):
                orders.setdefault(str(value), set()).add(row["orderid"])
        bills = Counter(row["order_id"] for row in self._world.invoices)
        placed = Counter(row["userid"] for row in self._world.billed)
        for case in self._cases:
            own = orders.get(step_reference(case.order_id, "whmcs", 1), set()) if case.order_id else set()
            is_billed = int(case.wanted.ends == "active")
            self._report.count("orders at WHMCS", len(own), expected=is_billed, what=_name(case))
            self._report.count("invoices of them", sum(bills[one] for one in own), expected=is_billed, what=_name(case))
        for client_id, cases in self._by_client().items():
            due = sum(case.wanted.ends == "active" for case in cases)
            self._report.count("orders at WHMCS by client", placed[client_id], expected=due, what=_name(cases[0]))

    def _salesforce(self) -> None:
        by_order: dict[str, Rows] = {}
        for row in self._world.reviews:
            by_order.setdefault(str(row["portal_order_id"]), []).append(row)
        by_customer = Counter(row["customer_number"] for row in self._world.reviews)
        for case in self._cases:
            own = by_order.get(str(case.order_id), [])
            case.sf_order_id = own[0]["id"] if own else case.sf_order_id
            self._report.count("orders at Salesforce", len(own), what=_name(case))
            done = [row for row in own if (row["status"], row["activation_status"]) == ("Processed", "Activated")]
            billed = [row for row in own if row["whmcs_order_id"]]
            expected = int(case.wanted.ends == "active")
            self._report.count("activated at Salesforce", len(done), expected=expected, what=_name(case))
            self._report.count("WHMCS ids at Salesforce", len(billed), expected=expected, what=_name(case))
        for cases in self._by_client().values():
            number = cases[0].buyer.customer.customer_number
            self._report.count("orders at Salesforce by account", by_customer[number], expected=len(cases))

    def _lines(self) -> None:
        jobs = Counter((job["account"], job["kind"]) for job in self._world.jobs if job["state"] != "failed")
        lines: dict[str, Rows] = {}
        for line in self._world.lines:
            lines.setdefault(line["account"], []).append(line)
        numbers: dict[str, set[int]] = {}
        for row in self._world.services:
            for value in _values(row):
                numbers.setdefault(str(value), set()).add(row["orderid"])
        for case in [one for one in self._cases if one.wanted.is_sim]:
            reserved = self._world.reserved.get(case.order_id) if case.order_id else None
            account = reserved.number if reserved else ""
            is_open = int(case.wanted.ends == "active")
            own = [line for line in lines.get(account, []) if line["state"] == "active"]
            self._report.count("lines at the carrier", len(own), expected=is_open, what=_name(case))
            self._report.count("services with the line's number", len(numbers.get(account, ())), expected=is_open)
            if is_open and account:
                self._line_jobs(case, account, jobs, own)
        self._shared()

    def _line_jobs(self, case: Case, account: str, jobs: Counter[tuple[str, str]], own: Rows) -> None:
        wanted = case.wanted
        # A ported number on a card is there at once; everything else is a job of the carrier's.
        asked = int(wanted.is_electronic or not wanted.ported)
        self._report.count("activations at the carrier", jobs[account, "activate"], expected=asked, what=_name(case))
        # A physical SIM's options are registered, an eSIM's switched on.
        told = jobs[account, "voice"]
        self._report.count("voice options at the carrier", told, expected=int(wanted.has_voice), what=_name(case))
        if wanted.has_voice:
            has = sum(_TALK.items() <= line["talk"].items() for line in own)
            self._report.count("voice lines with their options", has, what=_name(case))
        if wanted.ported:
            self._report.count("numbers kept", int(account == wanted.ported), what=_name(case))

    def _shared(self) -> None:
        ours = [self._world.reserved[one.order_id] for one in self._cases if one.order_id in self._world.reserved]
        cards = Counter(line["product_number"] for line in self._world.lines if line["product_number"])
        self._report.count("SIMs that lines share", sum(number - 1 for number in cards.values()), expected=0)
        stock = Counter(row.stock_id for row in ours if row.stock_id)
        self._report.count("SIMs that orders share", sum(number - 1 for number in stock.values()), expected=0)

    def _houses(self) -> None:
        checks = {row["customer_number"]: row for row in self._world.checks}
        services = {str(row["id"]): row for row in self._world.services}
        for case in [one for one in self._cases if one.wanted.kind == "internet"]:
            check = checks.get(case.buyer.customer.customer_number, {"cases": [], "opportunities": []})
            self._report.count("cases about addresses", len(check["cases"]), what=_name(case))
            self._report.count("opportunities", len(check["opportunities"]), what=_name(case))
            tied = [one for one in check["opportunities"] if one["StageName"] == "Active"]
            tied = [one for one in tied if one["Id"] in _values(services.get(str(one["WHMCS_Service_ID__c"]), {}))]
            self._report.count("opportunities tied to their line", len(tied), what=_name(case))

    def _documents(self) -> None:
        files = {row["number"]: len(row["files"]) for row in self._world.identities}
        for cases in self._by_client().values():
            expected = int(cases[0].customer.identity in ("asked", "never"))
            number = cases[0].buyer.customer.customer_number
            self._report.count("identity documents at Salesforce", files.get(number, 0), expected=expected)

    def _mails(self) -> None:
        for case in self._cases:
            order_id, written = str(case.order_id), self._world.written
            for end, occasion in _MAILS.items():
                found, expected = written[occasion, order_id], int(case.wanted.ends == end)
                if end == "waiting_for_card" and case.customer.card == "asked":
                    # Where another order of theirs asked for the card first, this one never had to.
                    expected = min(1, found)
                self._report.count(f"mails: {occasion}", found, expected=expected, what=_name(case))
            expected = int(case.wanted.fields is None)
            self._report.count("mails: order_received", written["order_received", order_id], expected=expected)
            told = self._world.announced[order_id]
            self._report.count("announced in the audit", told, expected=int(case.wanted.ends == "active"))
        self._arrived()

    def _arrived(self) -> None:
        addresses = {case.buyer.email for case in self._cases}
        arrived = sum(bool(addresses & set(mail["to"])) for mail in self._world.mailbox)
        ids = {str(case.order_id) for case in self._cases}
        written = sum(number for (_, order_id), number in self._world.written.items() if order_id in ids)
        self._report.figure("mails about them, written", written)
        self._report.figure("mails to them, taken by the mail server", arrived)

    def _stands(self, case: Case) -> str:
        return self._world.stands.get(case.order_id, "lost") if case.order_id else "never seen here"

    def _by_client(self) -> dict[int, list[Case]]:
        found: dict[int, list[Case]] = {}
        for case in self._cases:
            found.setdefault(case.buyer.customer.whmcs_client_id, []).append(case)
        return found


def _values(service: dict[str, Any]) -> Iterator[Any]:
    fields = service.get("customfields")
    return iter(fields.values() if isinstance(fields, dict) else ())


def _name(case: Case) -> str:
    return f"({case.wanted.kind}, order {case.order_id})"
