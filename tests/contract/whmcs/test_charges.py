"""Invoices that the portal writes and charges once, answered by the sandbox over real sockets."""

from datetime import timedelta
from uuid import uuid4

import pytest

from portal_app.domain.billing.charge import NewInvoice
from portal_app.domain.errors import NotFound, OutcomeUnknown
from portal_app.domain.money import Money
from portal_app.infra.clock import today
from portal_app.integrations.build import Vendors
from sandbox.faults import FaultSettings
from tests.contract.seeded import AIKO_CLIENT_ID
from tests.contract.whmcs.conftest import sign_up
from tests.contract.whmcs.test_money import AdminApi
from tests.support.running.vendor_servers import RunningSandbox


@pytest.fixture
def admin(sandbox: RunningSandbox) -> AdminApi:
    return AdminApi(sandbox)


def top_up(reference: str) -> NewInvoice:
    return NewInvoice("Data top-up", Money(1500), "stripe", today() + timedelta(days=7), reference)


async def test_an_invoice_whose_answer_was_lost_is_found_by_its_reference(
    vendors: Vendors, sandbox: RunningSandbox
) -> None:
    client_id, reference = await sign_up(vendors), uuid4().hex
    assert await vendors.charges.find_invoice(client_id, reference) is None
    sandbox.faults.set("whmcs", FaultSettings(lose_answers=1, operations=["CreateInvoice"]))
    with pytest.raises(OutcomeUnknown):
        await vendors.charges.create_invoice(client_id, top_up(reference))
    found = await vendors.charges.find_invoice(client_id, reference)
    assert found is not None
    charged = await vendors.charges.charged_invoice(client_id, found)
    assert (charged.price, charged.invoice.status, charged.was_tried, charged.is_paid) == (
        Money(1650), "unpaid", False, False,
    )  # fmt: skip
    assert charged.invoice.due_on == today() + timedelta(days=7)
    assert len(await vendors.invoices.invoices(client_id)) == 1
    for number, client in ((found, AIKO_CLIENT_ID), (999999, client_id)):
        with pytest.raises(NotFound):
            await vendors.charges.charged_invoice(client, number)


async def test_credit_whose_answer_was_lost_is_found_by_its_reference(
    vendors: Vendors, sandbox: RunningSandbox
) -> None:
    client_id, reference = await sign_up(vendors), uuid4().hex
    assert not await vendors.charges.find_credit(client_id, reference)
    sandbox.faults.set("whmcs", FaultSettings(lose_answers=1, operations=["AddCredit"]))
    with pytest.raises(OutcomeUnknown):
        await vendors.charges.add_credit(client_id, Money(605), description="Smaller plan", reference=reference)
    assert await vendors.charges.find_credit(client_id, reference)
    assert (await vendors.payment_methods.credit(client_id)).balance == Money(605)
    with pytest.raises(NotFound):
        await vendors.charges.find_credit(999999, reference)


# The switch, the card, what the call says (None: outcome unknown), the invoice's status, tried, paid.
CAPTURES = [
    ({}, "4242424242424242", "accepted", "paid", True, True),
    ({"capture_declined": 1}, "4242424242424242", "declined", "unpaid", True, False),
    ({}, "4000002760003184", "declined", "unpaid", True, False),
    ({}, "", "declined", "unpaid", True, False),
    ({"payment_pending": 1}, "4242424242424242", "accepted", "payment_pending", True, False),
    ({"charge_dies": 1}, "4242424242424242", None, "unpaid", True, False),
    ({"warning": 1}, "4242424242424242", None, "paid", True, True),
]


@pytest.mark.parametrize(("switch", "card", "said", "status", "tried", "paid"), CAPTURES)
async def test_each_answer_to_a_capture_says_what_is_known_of_the_money(
    vendors: Vendors, sandbox: RunningSandbox, admin: AdminApi, switch: dict[str, int], card: str, said: str | None,
    status: str, tried: bool, paid: bool,
) -> None:  # fmt: skip
    client_id = await sign_up(vendors)
    if card:
        await admin.store_card(client_id, card)
    number = await vendors.charges.create_invoice(client_id, top_up(uuid4().hex))
    sandbox.faults.set("whmcs", FaultSettings(special=switch))
    if said is None:
        with pytest.raises(OutcomeUnknown):
            await vendors.charges.capture(number)
    else:
        assert await vendors.charges.capture(number) == said
    charged = await vendors.charges.charged_invoice(client_id, number)
    assert (charged.invoice.status, charged.was_tried, charged.is_paid) == (status, tried, paid)


async def test_a_cancelled_invoice_is_charged_no_more_and_cancelling_repeats(vendors: Vendors, admin: AdminApi) -> None:
    client_id = await sign_up(vendors)
    await admin.store_card(client_id)
    number = await vendors.charges.create_invoice(client_id, top_up(uuid4().hex))
    for _ in range(2):
        await vendors.charges.cancel_invoice(number)
    assert await vendors.charges.capture(number) == "not_unpaid"
    with pytest.raises(NotFound):
        await vendors.charges.cancel_invoice(999999)


async def test_credit_that_whmcs_uses_by_itself_pays_and_leaves_the_price(
    vendors: Vendors, sandbox: RunningSandbox, admin: AdminApi
) -> None:
    client_id = await sign_up(vendors)
    await admin.do("AddCredit", clientid=client_id, description="Goodwill", amount="5000")
    sandbox.faults.set("whmcs", FaultSettings(special={"auto_credit": 1}))
    number = await vendors.charges.create_invoice(client_id, top_up(uuid4().hex))
    charged = await vendors.charges.charged_invoice(client_id, number)
    assert (charged.price, charged.is_paid, charged.was_tried) == (Money(1650), True, False)
