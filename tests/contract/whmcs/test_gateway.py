"""What the portal asks of WHMCS, answered by the sandbox over real sockets."""

import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.money import Money
from portal_app.integrations import whmcs
from portal_app.integrations.build import Vendors
from sandbox.faults import FaultSettings
from tests.contract.seeded import AIKO_CLIENT_ID, AIKO_EMAIL, AIKO_NUMBER, BEN_CLIENT_ID, BEN_EMAIL
from tests.contract.whmcs.conftest import sign_up
from tests.support.running.vendor_servers import RunningSandbox, documented_role
from tests.support.vendors.whmcs_orders import FEE, VPN, newcomer


async def test_a_new_client_is_found_by_email_with_its_number(vendors: Vendors) -> None:
    profile = newcomer()
    client_id = await vendors.clients.add_client(profile, customer_number="C00009001", password=uuid4().hex)
    found = await vendors.clients.find_client(profile.email)
    assert found == await vendors.clients.client(client_id)
    assert (found.id, found.email, found.customer_number) == (client_id, profile.email, "C00009001")
    assert (found.first_name, found.last_name, found.phone, found.status) == ("Hanako", "Sato", "09012345678", "Active")


async def test_an_email_in_another_case_finds_the_same_client(vendors: Vendors) -> None:
    found = await vendors.clients.find_client(AIKO_EMAIL)
    assert found and (found.id, found.customer_number) == (AIKO_CLIENT_ID, AIKO_NUMBER)


async def test_an_unknown_email_finds_nobody(vendors: Vendors) -> None:
    assert await vendors.clients.find_client("nobody@example.jp") is None


async def test_an_unknown_client_is_not_found(vendors: Vendors) -> None:
    with pytest.raises(NotFound):
        await vendors.clients.client(999999)
    with pytest.raises(NotFound):
        await vendors.clients.set_client_status(999999, "Inactive")


async def test_an_email_already_taken_is_rejected(vendors: Vendors) -> None:
    with pytest.raises(ExternalRejected):
        await vendors.clients.add_client(
            replace(newcomer(), email=BEN_EMAIL), customer_number="C00009002", password="x" * 40
        )


async def test_a_client_can_be_set_inactive_and_back(vendors: Vendors) -> None:
    client_id = await sign_up(vendors)
    for status in ("Inactive", "Active"):
        await vendors.clients.set_client_status(client_id, status)
        assert (await vendors.clients.client(client_id)).status == status


async def test_invoices_come_newest_first_and_in_detail_with_lines_and_payments(vendors: Vendors) -> None:
    unpaid, paid = await vendors.invoices.invoices(BEN_CLIENT_ID)
    assert (unpaid.status, paid.status) == ("unpaid", "paid") and unpaid.id > paid.id
    assert unpaid.balance is None and unpaid.lines == ()
    detail = await vendors.invoices.invoice(BEN_CLIENT_ID, paid.id)
    assert detail.balance == Money(0) and detail.lines[0].service_id
    assert sum(payment.amount.minor for payment in detail.payments) == detail.total.minor == paid.total.minor
    assert detail.paid_at is not None and detail.paid_at.tzinfo is not None


async def test_another_clients_invoice_is_not_found(vendors: Vendors) -> None:
    invoice = (await vendors.invoices.invoices(BEN_CLIENT_ID))[0]
    for client_id, invoice_id in ((AIKO_CLIENT_ID, invoice.id), (BEN_CLIENT_ID, 999999)):
        with pytest.raises(NotFound):
            await vendors.invoices.invoice(client_id, invoice_id)


async def test_an_event_can_ask_whose_an_invoice_is(vendors: Vendors) -> None:
    invoice = (await vendors.invoices.invoices(BEN_CLIENT_ID))[0]
    assert (await vendors.invoices.invoice_of_anyone(invoice.id)).client_id == BEN_CLIENT_ID
    with pytest.raises(NotFound):
        await vendors.invoices.invoice_of_anyone(999999)


async def test_stored_cards_are_listed_without_tokens(vendors: Vendors) -> None:
    (card,) = await vendors.payment_methods.payment_methods(BEN_CLIENT_ID)
    assert (card.kind, card.last_four, card.gateway) == ("card", "4242", "stripe")
    assert await vendors.payment_methods.payment_methods(AIKO_CLIENT_ID) == []


async def test_services_are_listed_for_their_owner_only(vendors: Vendors) -> None:
    service = (await vendors.subscriptions.subscriptions(BEN_CLIENT_ID))[0]
    assert (service.status, service.category, service.cycle, service.recurring) == (
        "active", "vpn", "monthly", Money(2500),
    )  # fmt: skip
    assert all(found.client_id == BEN_CLIENT_ID for found in await vendors.subscriptions.subscriptions(BEN_CLIENT_ID))
    assert await vendors.subscriptions.subscriptions(await sign_up(vendors)) == []


async def test_an_order_is_found_by_our_reference_and_accepted_twice_without_harm(vendors: Vendors) -> None:
    client_id, reference = await sign_up(vendors), f"{uuid4()}:order:1"
    assert await vendors.whmcs_orders.find_order(client_id, reference) is None
    placed = await vendors.whmcs_orders.add_order(client_id, [VPN, FEE], reference=reference)
    assert len(placed.service_ids) == 2 and placed.invoice_id
    assert await vendors.whmcs_orders.find_order(client_id, reference) == placed
    assert await vendors.whmcs_orders.find_order(client_id, reference + "0") is None
    assert await vendors.whmcs_orders.find_order(BEN_CLIENT_ID, "") is None
    await vendors.whmcs_orders.accept_order(placed.order_id)
    await vendors.whmcs_orders.accept_order(placed.order_id)
    assert {service.status for service in await vendors.subscriptions.subscriptions(client_id)} == {"active"}


async def test_services_come_in_the_order_of_the_lines(vendors: Vendors) -> None:
    client_id = await sign_up(vendors)
    placed = await vendors.whmcs_orders.add_order(client_id, [FEE, VPN], reference=f"{uuid4()}:order:1")
    products = {service.id: service.product_id for service in await vendors.subscriptions.subscriptions(client_id)}
    assert [products[service] for service in placed.service_ids] == [37, 33]


async def test_an_order_that_could_not_be_found_again_is_not_placed(vendors: Vendors) -> None:
    client_id = await sign_up(vendors)
    for line in (replace(VPN, whmcs_product_id=None), replace(VPN, whmcs_product_id=999999)):
        with pytest.raises(ExternalRejected):
            await vendors.whmcs_orders.add_order(client_id, [line], reference="x")
    assert await vendors.subscriptions.subscriptions(client_id) == []


async def test_an_unknown_order_cannot_be_accepted(vendors: Vendors) -> None:
    with pytest.raises(ExternalRejected):
        await vendors.whmcs_orders.accept_order(999999)


async def test_an_order_whose_answer_was_lost_is_found_and_exists_once(
    vendors: Vendors, sandbox: RunningSandbox
) -> None:
    client_id, reference = await sign_up(vendors), f"{uuid4()}:order:1"
    sandbox.faults.set("whmcs", FaultSettings(lose_answers=1, operations=["AddOrder"]))
    with pytest.raises(OutcomeUnknown):
        await vendors.whmcs_orders.add_order(client_id, [VPN], reference=reference)
    found = await vendors.whmcs_orders.find_order(client_id, reference)
    assert found is not None and len(await vendors.subscriptions.subscriptions(client_id)) == 1


async def test_a_lost_acceptance_may_be_repeated(vendors: Vendors, sandbox: RunningSandbox) -> None:
    placed = await vendors.whmcs_orders.add_order(await sign_up(vendors), [VPN], reference=f"{uuid4()}:order:1")
    sandbox.faults.set("whmcs", FaultSettings(lose_answers=1, operations=["AcceptOrder"]))
    with pytest.raises(OutcomeUnknown):
        await vendors.whmcs_orders.accept_order(placed.order_id)
    await vendors.whmcs_orders.accept_order(placed.order_id)


async def test_a_lost_cancellation_of_an_order_may_be_repeated(vendors: Vendors, sandbox: RunningSandbox) -> None:
    placed = await vendors.whmcs_orders.add_order(await sign_up(vendors), [VPN], reference=f"{uuid4()}:order:1")
    assert await vendors.whmcs_orders.order_status(placed.order_id) == "Pending"
    sandbox.faults.set("whmcs", FaultSettings(lose_answers=1, operations=["CancelOrder"]))
    with pytest.raises(OutcomeUnknown):
        await vendors.whmcs_orders.cancel_order(placed.order_id)
    await vendors.whmcs_orders.cancel_order(placed.order_id)
    assert await vendors.whmcs_orders.order_status(placed.order_id) == "Cancelled"


def test_the_guide_asks_for_just_the_actions_that_are_called() -> None:
    written = "".join(path.read_text() for path in Path(whmcs.__file__).parent.glob("*.py"))
    called = set(re.findall(r'"((?:Accept|Add|Cancel|Capture|Create|Delete|Get|Update|Validate)[A-Z]\w+)"', written))
    assert called == set(documented_role().replace(",", " ").split())


async def test_prices_can_be_compared_with_the_catalogue(vendors: Vendors) -> None:
    prices = await vendors.product_prices.product_prices()
    assert prices[33] == {"monthly": Money(2500)} and prices[37] == {"onetime": Money(3000)}


async def test_a_sign_on_link_opens_the_clients_page_once(vendors: Vendors) -> None:
    link = await vendors.sso.sign_on_link(BEN_CLIENT_ID, "/index.php/account/paymentmethods")
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        page = await browser.get(link)
        assert page.status_code == 200 and page.url.path.endswith("/index.php/account/paymentmethods")
        assert "4242" in page.text
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as stranger:
        assert "4242" not in (await stranger.get(link)).text


async def test_a_link_for_an_unknown_client_is_not_found(vendors: Vendors) -> None:
    with pytest.raises(NotFound):
        await vendors.sso.sign_on_link(999999, "clientarea.php")


async def test_a_vendor_that_is_down_is_unavailable_and_noticed_when_it_is_back(
    vendors: Vendors, sandbox: RunningSandbox
) -> None:
    sandbox.faults.set("whmcs", FaultSettings(down=True))
    with pytest.raises(ExternalUnavailable):
        await vendors.invoices.invoices(BEN_CLIENT_ID)
    sandbox.faults.set("whmcs", FaultSettings())
    assert await vendors.invoices.invoices(BEN_CLIENT_ID)


async def test_an_action_our_credentials_do_not_allow_is_unavailable(vendors: Vendors, sandbox: RunningSandbox) -> None:
    sandbox.faults.set("whmcs", FaultSettings(special={"forbid_getpaymethods": 1}))
    with pytest.raises(ExternalUnavailable):
        await vendors.payment_methods.payment_methods(BEN_CLIENT_ID)
