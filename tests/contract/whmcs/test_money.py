"""Money and services at WHMCS as the billing pages need them, answered by the sandbox over real sockets."""

import asyncio
from datetime import date
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis

from portal_app.domain.billing.invoice import Tax
from portal_app.domain.errors import NotFound, OutcomeUnknown
from portal_app.domain.money import Money
from portal_app.domain.ports.billing import BillingGateway
from portal_app.integrations.build import build_vendors
from sandbox.faults import Mood
from sandbox.whmcs.oddities import FORMS
from tests.contract.lanes.servers import RunningSandbox
from tests.contract.seeded import AIKO_CLIENT_ID, BEN_CLIENT_ID
from tests.contract.whmcs.conftest import VPN, sign_up


class Desk:
    """WHMCS's own staff, at the same API with a credential that may do everything."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._url = sandbox.settings.whmcs_api_url
        self._keys = {"identifier": "sandbox-admin-identifier", "secret": "sandbox-admin-secret"}

    async def do(self, action: str, **fields: object) -> dict:
        """Run an action that must succeed."""
        async with httpx.AsyncClient(trust_env=False) as browser:
            form = {**self._keys, "action": action, "responsetype": "json", **fields}
            answer = (await browser.post(self._url, data=form)).json()
        assert answer["result"] == "success", answer
        return dict(answer)

    async def bill(self, client_id: int, amount: int, **fields: object) -> int:
        """Write an invoice of one untaxed line."""
        line = {"itemdescription1": "Data", "itemamount1": amount, "itemtaxed1": "0"}
        return int((await self.do("CreateInvoice", userid=client_id, **line, **fields))["invoiceid"])

    async def store_card(self, client_id: int) -> int:
        """Store a test card."""
        card = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4242424242424242"}
        return int((await self.do("AddPayMethod", clientid=client_id, card_expiry="1135", **card))["paymethodid"])


@pytest.fixture
def desk(sandbox: RunningSandbox) -> Desk:
    return Desk(sandbox)


async def test_invoices_come_in_pages_with_their_total(billing: BillingGateway, desk: Desk) -> None:
    client_id = await sign_up(billing)
    ids = [await desk.bill(client_id, 100 * place) for place in range(1, 6)]
    await desk.do("AddInvoicePayment", invoiceid=ids[0], transid="t", gateway="stripe")
    first = await billing.invoice_page(client_id, start=0, count=2)
    last = await billing.invoice_page(client_id, start=4, count=2)
    assert ([row.id for row in first.rows], first.total) == (ids[:2:-1], 5)
    assert [row.id for row in last.rows] == ids[:1]
    paid = await billing.invoice_page(client_id, status="paid", start=0, count=25)
    assert ([row.id for row in paid.rows], paid.total) == (ids[:1], 1)
    assert first.rows[0].updated_at is not None


async def test_overdue_invoices_can_be_asked_for(billing: BillingGateway) -> None:
    page = await billing.invoice_page(BEN_CLIENT_ID, status="overdue", start=0, count=25)
    assert [(row.status, page.total) for row in page.rows] == [("unpaid", 1)]
    assert (await billing.invoice_page(AIKO_CLIENT_ID, status="overdue", start=0, count=25)).rows == ()


async def test_tax_is_told_by_its_rate(billing: BillingGateway) -> None:
    invoice = (await billing.invoices(BEN_CLIENT_ID))[-1]
    assert invoice.taxes == (Tax(Decimal(10), Money(250)),) and invoice.tax == Money(250)


async def test_payments_and_refunds_are_listed_newest_first(billing: BillingGateway, desk: Desk) -> None:
    client_id = await sign_up(billing)
    invoice = await desk.bill(client_id, 500)
    for place, amount in enumerate((200, 300)):
        moment = f"2026-01-0{place + 1} 10:00:00"
        await desk.do(
            "AddInvoicePayment", invoiceid=invoice, transid=f"t{place}", gateway="stripe", amount=amount, date=moment
        )
    found = await billing.transactions(client_id)
    assert [(entry.reference, entry.amount, entry.invoice_id) for entry in found] == [
        ("t1", Money(300), invoice),
        ("t0", Money(200), invoice),
    ]
    assert found[0].at and found[0].at.hour == 1
    assert await billing.transactions(await sign_up(billing)) == []


async def test_credit_is_listed_with_its_balance(billing: BillingGateway, desk: Desk) -> None:
    client_id = await sign_up(billing)
    assert (await billing.credits(client_id), (await billing.client(client_id)).credit) == ([], Money(0))
    await desk.do("AddCredit", clientid=client_id, description="Goodwill", amount="800.00")
    invoice = await desk.bill(client_id, 300)
    await desk.do("ApplyCredit", invoiceid=invoice, amount="300.00")
    used, given = await billing.credits(client_id)
    assert (used.amount, used.invoice_id, given.amount, given.description) == (
        Money(-300), invoice, Money(800), "Goodwill",
    )  # fmt: skip
    assert (await billing.client(client_id)).credit == Money(500)
    with pytest.raises(NotFound):
        await billing.credits(999999)


async def test_gateways_are_named_for_us_and_for_customers(billing: BillingGateway) -> None:
    first = (await billing.gateways())[0]
    assert (first.name, first.title) == ("stripe", "Credit Card")


async def test_another_card_becomes_the_default_and_is_removed(billing: BillingGateway, desk: Desk) -> None:
    client_id = await sign_up(billing)
    first, second = [await desk.store_card(client_id) for _ in range(2)]
    await billing.set_default_payment_method(client_id, second)
    methods = await billing.payment_methods(client_id)
    assert [(method.id, method.is_default) for method in methods] == [(second, True), (first, False)]
    assert methods[0].last_valid_on == date(2035, 11, 30)
    await billing.remove_payment_method(client_id, second)
    assert [method.id for method in await billing.payment_methods(client_id)] == [first]


async def test_somebody_elses_card_is_not_found_and_stays(billing: BillingGateway) -> None:
    (card,) = await billing.payment_methods(BEN_CLIENT_ID)
    for client_id, method_id in ((AIKO_CLIENT_ID, card.id), (BEN_CLIENT_ID, 999999)):
        with pytest.raises(NotFound):
            await billing.set_default_payment_method(client_id, method_id)
        with pytest.raises(NotFound):
            await billing.remove_payment_method(client_id, method_id)
    assert await billing.payment_methods(BEN_CLIENT_ID) == [card]


async def test_one_service_is_shown_to_its_owner_only(billing: BillingGateway) -> None:
    service = (await billing.subscriptions(BEN_CLIENT_ID))[0]
    assert await billing.subscription(BEN_CLIENT_ID, service.id) == service
    assert service.gateway == "stripe"
    for client_id, service_id in ((AIKO_CLIENT_ID, service.id), (BEN_CLIENT_ID, 999999)):
        with pytest.raises(NotFound):
            await billing.subscription(client_id, service_id)


async def test_events_can_ask_whose_a_service_or_an_order_is(billing: BillingGateway) -> None:
    service = (await billing.subscriptions(BEN_CLIENT_ID))[0]
    assert service.order_id is not None
    assert await billing.service_owner(service.id) == BEN_CLIENT_ID
    assert await billing.order_owner(service.order_id) == BEN_CLIENT_ID
    for asked in (billing.service_owner(999999), billing.order_owner(999999)):
        with pytest.raises(NotFound):
            await asked


async def test_only_fields_an_operator_names_are_shown(sandbox: RunningSandbox, redis: Redis, desk: Desk) -> None:
    vendors = build_vendors(sandbox.settings.model_copy(update={"whmcs_shown_fields": "portal reference, EID"}), redis)
    client_id, reference = await sign_up(vendors.billing), f"{uuid4()}:order:1"
    await vendors.billing.add_order(client_id, [VPN], reference=reference)
    (service,) = await vendors.billing.subscriptions(client_id)
    await vendors.close()
    assert service.fields == (("Portal Reference", reference),)


async def test_the_end_of_a_service_is_asked_for_once(billing: BillingGateway, sandbox: RunningSandbox) -> None:
    client_id = await sign_up(billing)
    placed = await billing.add_order(client_id, [VPN], reference=f"{uuid4()}:order:1")
    service_id = placed.service_ids[0]
    sandbox.faults.set("whmcs", Mood(lose_answers=1, operations=["AddCancelRequest"]))
    with pytest.raises(OutcomeUnknown):
        await billing.request_cancellation(client_id, service_id, reason="Moving", at_period_end=True)
    await billing.request_cancellation(client_id, service_id, reason="Moving", at_period_end=True)
    wish = (await billing.cancellations())[service_id]
    assert (wish.at_period_end, wish.reason, wish.requested_at is not None) == (True, "Moving", True)
    assert (await billing.subscription(client_id, service_id)).status == "pending"


async def test_nobody_ends_another_clients_service(billing: BillingGateway) -> None:
    service = (await billing.subscriptions(BEN_CLIENT_ID))[0]
    with pytest.raises(NotFound):
        await billing.request_cancellation(AIKO_CLIENT_ID, service.id, reason="x", at_period_end=False)
    assert service.id not in await billing.cancellations()


async def test_many_readers_at_once_get_their_own_rows(billing: BillingGateway) -> None:
    both = [AIKO_CLIENT_ID, BEN_CLIENT_ID] * 5
    found = await asyncio.gather(*(billing.transactions(client_id) for client_id in both))
    assert {entry.client_id for entries in found for entry in entries} == {BEN_CLIENT_ID}


async def everything(billing: BillingGateway, client_id: int) -> list[object]:
    """Read all that the portal shows of a client."""
    invoices = await billing.invoices(client_id)
    return [
        invoices, [await billing.invoice(client_id, row.id) for row in invoices], await billing.transactions(client_id),
        await billing.credits(client_id), await billing.gateways(), await billing.payment_methods(client_id),
        await billing.subscriptions(client_id), await billing.cancellations(), await billing.product_prices(),
        await billing.client(client_id),
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_of_a_list_reads_the_same(billing: BillingGateway, sandbox: RunningSandbox, form: str) -> None:
    empty = await sign_up(billing)
    plain = [await everything(billing, client_id) for client_id in (BEN_CLIENT_ID, empty)]
    sandbox.faults.set("whmcs", Mood(special={form: -1}))
    assert [await everything(billing, client_id) for client_id in (BEN_CLIENT_ID, empty)] == plain
