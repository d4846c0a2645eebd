"""Cases in Salesforce: opened once, replied to once, and shown without anything that is not for the customer."""

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
    assert await vendors.cases.last_message(case) == str(message)
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
    async with httpx.AsyncClient(base_url=f"{sandbox.settings.whmcs_url.removesuffix('/whmcs')}/office/api") as office:

        async def act(action: str, **values: object) -> None:
            (await office.post(f"/support/{case}/{action}", json=values)).raise_for_status()

        await act("comment", text="Internal", public=False)
        await act("comment", text="Answer")
        await act("mail", text="To you", to=f"Hana <{own.upper()}>; other@example.jp")
        await act("mail", text="To the carrier", to="ntt@example.jp")
        await act("mail", text="Draft", to=own, fields={"Status": "5"})
        await act("mail", text="Hidden", to=own, fields={"IsExternallyVisible": False})
        await act("mail", text="Blind copy", to="ntt@example.jp", fields={"BccAddress": own})
    thread = await vendors.cases.thread(case, recipient=own)
    assert [(entry.kind, entry.text, entry.author) for entry in thread.entries] == [
        ("comment", "Answer", "Support"),
        ("mail", "To you", "Support"),
    ]
    assert thread.case.last_by == "team"


async def test_a_guessed_case_is_not_found(vendors: Vendors, customer: Customer) -> None:
    for guess in ("500000000000000AAA", "500xx", "../Account", ""):
        with pytest.raises(NotFound):
            await vendors.cases.thread(guess, recipient=mail_of(customer))
