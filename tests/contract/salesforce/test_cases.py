"""Cases in Salesforce: opened once, replied to once, and shown without anything that is not for the customer."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from portal_app.domain.errors import NotFound, OutcomeUnknown
from portal_app.domain.profile.customer import Customer
from portal_app.domain.support.case import NewCase
from portal_app.integrations.build import Vendors
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox

pytestmark = pytest.mark.usefixtures("healthy_salesforce")
QUESTION = NewCase.parse(category="billing", subject="請求について", text="Why twice?\r\nThanks", about="invoice:12")


def mail_of(customer: Customer) -> str:
    return f"{customer.user_id.hex}@example.jp"


class Agent:
    """An agent at work on one case."""

    def __init__(self, sandbox: RunningSandbox, case: str) -> None:
        self._office = f"{sandbox.settings.whmcs_url.removesuffix('/whmcs')}/office/api"
        self._case = case

    async def __call__(self, action: str, **values: object) -> None:
        """Do one thing."""
        async with httpx.AsyncClient(base_url=self._office, timeout=20) as office:
            (await office.post(f"/support/{self._case}/{action}", json=values)).raise_for_status()

    async def case(self) -> dict[str, Any]:
        """Return the case as agents see it."""
        async with httpx.AsyncClient(base_url=self._office, timeout=20) as office:
            rows = (await office.get("/support")).raise_for_status().json()
        return next(dict(row) for row in rows if row["Id"] == self._case)


async def opened(vendors: Vendors, customer: Customer) -> str:
    return await vendors.cases.open(customer, uuid4(), QUESTION, language="ja", recipient=mail_of(customer))


async def test_a_case_is_opened_once_and_counts_as_open(vendors: Vendors, customer: Customer) -> None:
    case_id = uuid4()
    for _ in range(2):
        await vendors.cases.open(customer, case_id, QUESTION, language="ja", recipient=mail_of(customer))
    (case,) = await vendors.cases.cases(customer)
    assert (case.reference, case.subject, case.description) == (str(case_id), "請求について", "Why twice?\nThanks")
    assert (case.category, case.about, case.opened_by, case.is_closed) == ("Billing", "invoice:12", "customer", False)
    assert await vendors.crm.open_cases(customer.sf_account_id) == 1


async def test_a_reply_is_written_with_its_token_or_not_at_all(
    vendors: Vendors, customer: Customer, sandbox: RunningSandbox
) -> None:
    case, message = await opened(vendors, customer), uuid4()
    sandbox.faults.set("salesforce", FaultSettings(lose_answers=1, operations=["composite"]))
    with pytest.raises(OutcomeUnknown):
        await vendors.cases.reply(case, message, ["一", "二"], reopen=False)
    sandbox.faults.set("salesforce", FaultSettings())
    written = await vendors.cases.written(case, message)
    assert (written.is_last, [text for _, text in written.comments]) == (True, ["一", "二"])
    assert not (await vendors.cases.written(case, uuid4())).is_last
    thread = await vendors.cases.thread(case, recipient=mail_of(customer))
    assert [(entry.text, entry.side, entry.author) for entry in thread.entries] == [
        ("一", "customer", ""),
        ("二", "customer", ""),
    ]
    assert (thread.case.last_by, thread.case.sf_case_id) == ("customer", case)


async def test_only_what_is_for_the_customer_is_read(
    vendors: Vendors, customer: Customer, sandbox: RunningSandbox
) -> None:
    case, own = await opened(vendors, customer), mail_of(customer)
    agent = Agent(sandbox, case)
    await agent("comment", text="Internal", public=False)
    await agent("comment", text="Answer")
    await agent("mail", text="To you", to=f"Hana <{own.upper()}>; other@example.jp")
    await agent("mail", text="To the carrier", to="ntt@example.jp")
    await agent("mail", text="Draft", to=own, fields={"Status": "5"})
    await agent("mail", text="Hidden", to=own, fields={"IsExternallyVisible": False})
    await agent("mail", text="Blind copy", to="ntt@example.jp", fields={"BccAddress": own})
    # Whatever its own Date header says: it stands where it arrived.
    dated = {"MessageDate": "2031-01-01T00:00:00.000+0000"}
    await agent("mail", text="From you", incoming=True, **{"from": own}, fields=dated)
    thread = await vendors.cases.thread(case, recipient=own)
    assert [(entry.kind, entry.text, entry.author) for entry in thread.entries] == [
        ("comment", "Answer", "Mika"),
        ("mail", "To you", "Mika"),
        ("mail", "From you", ""),
    ]
    assert (thread.case.last_by, thread.answer_due_at) == ("customer", None)
    await agent("milestone", due="2026-12-24T09:00:00+09:00")
    promised = (await vendors.cases.thread(case, recipient=own)).answer_due_at
    assert promised == datetime(2026, 12, 24, tzinfo=UTC)


async def test_a_change_by_us_keeps_the_owner_and_needs_no_field_that_an_administrator_closed(
    vendors: Vendors, customer: Customer, sandbox: RunningSandbox
) -> None:
    case = await opened(vendors, customer)
    own = (await Agent(sandbox, case).case())["OwnerId"]
    sandbox.faults.set("salesforce", FaultSettings(special={"assignment_rule": -1, "no_token_field": -1}))
    await vendors.cases.reply(case, uuid4(), ["Hello"], reopen=False)
    await vendors.cases.rate(case, 3, "Thanks")
    sandbox.faults.set("salesforce", FaultSettings(special={"assignment_rule": -1}))
    await vendors.cases.close(case, uuid4())
    changed = await Agent(sandbox, case).case()
    assert (changed["OwnerId"], changed["Status"], changed["Portal_Rating__c"]) == (own, "Closed", 3)
    assert await vendors.cases.is_closed(case)


async def test_a_merged_case_names_the_one_it_went_into(
    vendors: Vendors, customer: Customer, sandbox: RunningSandbox
) -> None:
    master, deleted, kept = [await opened(vendors, customer) for _ in range(3)]
    await Agent(sandbox, deleted)("comment", text="Moved")
    await Agent(sandbox, deleted)("merge", into=master)
    await Agent(sandbox, kept)("merge", into=master, keep=True)
    assert await vendors.cases.masters([deleted, kept, master]) == {deleted: master, kept: master}
    assert {case.sf_case_id: case.merged_into for case in await vendors.cases.cases(customer)} == {
        master: "",
        kept: master,
    }
    thread = await vendors.cases.thread(master, recipient=mail_of(customer))
    assert [entry.text for entry in thread.entries] == ["Moved"]


async def test_every_page_of_a_long_thread_is_read(
    vendors: Vendors, customer: Customer, sandbox: RunningSandbox
) -> None:
    case = await opened(vendors, customer)
    await Agent(sandbox, case)("burst", count=7, text="At once")
    sandbox.faults.set("salesforce", FaultSettings(special={"small_pages": -1}))
    thread = await vendors.cases.thread(case, recipient=mail_of(customer))
    assert [entry.text for entry in thread.entries] == [f"At once {number}" for number in range(1, 8)]


async def test_a_guessed_case_is_not_found(vendors: Vendors, customer: Customer) -> None:
    for guess in ("500000000000000AAA", "500xx", "../Account", ""):
        with pytest.raises(NotFound):
            await vendors.cases.thread(guess, recipient=mail_of(customer))
