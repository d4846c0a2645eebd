"""Money and services at WHMCS as the billing pages need them, answered by the sandbox over real sockets."""

import asyncio
from datetime import date
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis

from portal_app.domain.billing.credit import Credit
from portal_app.domain.billing.invoice import Tax
from portal_app.domain.errors import NotFound, OutcomeUnknown
from portal_app.domain.money import Money
from portal_app.infra.database.database import Database
from portal_app.integrations.build import Vendors, build_vendors
from sandbox.faults import FaultSettings
from sandbox.whmcs.quirks import FORMS
from tests.contract.seeded import AIKO_CLIENT_ID, BEN_CLIENT_ID
from tests.contract.whmcs.conftest import sign_up
from tests.support.running.vendor_servers import RunningSandbox
from tests.support.vendors.whmcs_orders import VPN


class AdminApi:
    """Staff of WHMCS: the same API with a credential for every action."""

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
def admin(sandbox: RunningSandbox) -> AdminApi:
    return AdminApi(sandbox)


async def test_a_list_of_invoices_says_when_each_was_changed(vendors: Vendors, admin: AdminApi) -> None:
    client_id = await sign_up(vendors)
    number = await admin.bill(client_id, 100)
    (invoice,) = await vendors.invoices.invoices(client_id)
    assert invoice.id == number and invoice.updated_at is not None


async def test_tax_is_shown_with_its_rate(vendors: Vendors) -> None:
    invoice = (await vendors.invoices.invoices(BEN_CLIENT_ID))[-1]
    assert invoice.taxes == (Tax(Decimal(10), Money(250)),) and invoice.tax == Money(250)


async def test_payments_and_refunds_are_listed_newest_first(vendors: Vendors, admin: AdminApi) -> None:
    client_id = await sign_up(vendors)
    invoice = await admin.bill(client_id, 500)
    for place, amount in enumerate((200, 300)):
        moment = f"2026-01-0{place + 1} 10:00:00"
        await admin.do(
            "AddInvoicePayment", invoiceid=invoice, transid=f"t{place}", gateway="stripe", amount=amount, date=moment
        )
    found = await vendors.payment_methods.transactions(client_id)
    assert [(entry.reference, entry.amount, entry.invoice_id) for entry in found] == [
        ("t1", Money(300), invoice),
        ("t0", Money(200), invoice),
    ]
    assert found[0].at and found[0].at.hour == 1
    assert await vendors.payment_methods.transactions(await sign_up(vendors)) == []


async def test_credit_is_listed_with_its_balance(vendors: Vendors, admin: AdminApi) -> None:
    client_id = await sign_up(vendors)
    assert await vendors.payment_methods.credit(client_id) == Credit(Money(0), [])
    await admin.do("AddCredit", clientid=client_id, description="Goodwill", amount="800.00")
    invoice = await admin.bill(client_id, 300)
    await admin.do("ApplyCredit", invoiceid=invoice, amount="300.00")
    credit = await vendors.payment_methods.credit(client_id)
    used, given = credit.entries
    assert (used.amount, used.invoice_id, given.amount, given.description) == (
        Money(-300), invoice, Money(800), "Goodwill",
    )  # fmt: skip
    assert credit.balance == Money(500)
    with pytest.raises(NotFound):
        await vendors.payment_methods.credit(999999)


async def test_gateways_are_named_for_us_and_for_customers(vendors: Vendors) -> None:
    first = (await vendors.payment_methods.gateways())[0]
    assert (first.name, first.title) == ("stripe", "Credit Card")


async def test_another_card_becomes_the_default_and_is_removed(vendors: Vendors, admin: AdminApi) -> None:
    client_id = await sign_up(vendors)
    first, second = [await admin.store_card(client_id) for _ in range(2)]
    await vendors.payment_methods.set_default_payment_method(client_id, second)
    methods = await vendors.payment_methods.payment_methods(client_id)
    assert [(method.id, method.is_default) for method in methods] == [(second, True), (first, False)]
    assert methods[0].last_valid_on == date(2035, 11, 30)
    await vendors.payment_methods.remove_payment_method(client_id, second)
    assert [method.id for method in await vendors.payment_methods.payment_methods(client_id)] == [first]


async def test_another_clients_card_is_not_found_and_stays(vendors: Vendors) -> None:
    (card,) = await vendors.payment_methods.payment_methods(BEN_CLIENT_ID)
    for client_id, method_id in ((AIKO_CLIENT_ID, card.id), (BEN_CLIENT_ID, 999999)):
        with pytest.raises(NotFound):
            await vendors.payment_methods.set_default_payment_method(client_id, method_id)
        with pytest.raises(NotFound):
            await vendors.payment_methods.remove_payment_method(client_id, method_id)
    assert await vendors.payment_methods.payment_methods(BEN_CLIENT_ID) == [card]


async def test_one_service_is_shown_to_its_owner_only(vendors: Vendors) -> None:
    service = (await vendors.subscriptions.subscriptions(BEN_CLIENT_ID))[0]
    assert await vendors.subscriptions.subscription(BEN_CLIENT_ID, service.id) == service
    assert service.gateway == "stripe"
    for client_id, service_id in ((AIKO_CLIENT_ID, service.id), (BEN_CLIENT_ID, 999999)):
        with pytest.raises(NotFound):
            await vendors.subscriptions.subscription(client_id, service_id)


async def test_events_can_ask_whose_a_service_or_an_order_is(vendors: Vendors) -> None:
    service = (await vendors.subscriptions.subscriptions(BEN_CLIENT_ID))[0]
    assert service.order_id is not None
    assert await vendors.subscriptions.service_owner(service.id) == BEN_CLIENT_ID
    assert await vendors.whmcs_orders.order_owner(service.order_id) == BEN_CLIENT_ID
    for asked in (vendors.subscriptions.service_owner(999999), vendors.whmcs_orders.order_owner(999999)):
        with pytest.raises(NotFound):
            await asked


async def test_only_fields_an_operator_names_are_shown(sandbox: RunningSandbox, redis: Redis, admin: AdminApi) -> None:
    settings = sandbox.settings.model_copy(update={"whmcs_shown_fields": "portal reference, EID"})
    vendors = build_vendors(settings, redis, Database(settings, "web"))
    client_id, reference = await sign_up(vendors), f"{uuid4()}:order:1"
    await vendors.whmcs_orders.add_order(client_id, [VPN], reference=reference)
    (service,) = await vendors.subscriptions.subscriptions(client_id)
    await vendors.close()
    assert service.fields == (("Portal Reference", reference),)


async def test_the_end_of_a_service_is_asked_for_once(vendors: Vendors, sandbox: RunningSandbox) -> None:
    client_id = await sign_up(vendors)
    placed = await vendors.whmcs_orders.add_order(client_id, [VPN], reference=f"{uuid4()}:order:1")
    service_id = placed.service_ids[0]
    sandbox.faults.set("whmcs", FaultSettings(lose_answers=1, operations=["AddCancelRequest"]))
    with pytest.raises(OutcomeUnknown):
        await vendors.subscriptions.request_cancellation(client_id, service_id, reason="Moving", at_period_end=True)
    await vendors.subscriptions.request_cancellation(client_id, service_id, reason="Moving", at_period_end=True)
    wish = (await vendors.subscriptions.cancellations())[service_id]
    assert (wish.at_period_end, wish.reason, wish.requested_at is not None) == (True, "Moving", True)
    assert (await vendors.subscriptions.subscription(client_id, service_id)).status == "pending"


async def test_nobody_ends_another_clients_service(vendors: Vendors) -> None:
    service = (await vendors.subscriptions.subscriptions(BEN_CLIENT_ID))[0]
    with pytest.raises(NotFound):
        await vendors.subscriptions.request_cancellation(AIKO_CLIENT_ID, service.id, reason="x", at_period_end=False)
    assert service.id not in await vendors.subscriptions.cancellations()


async def test_many_readers_at_once_get_their_own_rows(vendors: Vendors) -> None:
    both = [AIKO_CLIENT_ID, BEN_CLIENT_ID] * 5
    found = await asyncio.gather(*(vendors.payment_methods.transactions(client_id) for client_id in both))
    assert {entry.client_id for entries in found for entry in entries} == {BEN_CLIENT_ID}


async def everything(vendors: Vendors, client_id: int) -> list[object]:
    """Read all that the portal shows of a client."""
    invoices = await vendors.invoices.invoices(client_id)
    payments, services = vendors.payment_methods, vendors.subscriptions
    return [
        invoices, [await vendors.invoices.invoice(client_id, row.id) for row in invoices],
        await payments.transactions(client_id), await payments.credit(client_id), await payments.gateways(),
        await payments.payment_methods(client_id), await services.subscriptions(client_id),
        await services.cancellations(), await vendors.product_prices.product_prices(),
        await vendors.clients.client(client_id),
    ]  # fmt: skip


# Odd rows and translated names change what is read; the tax in hundredths is that of new invoices.
_SAME = [form for form in (*FORMS, "tax_in_hundredths") if form not in ("odd_rows", "translated_names")]


@pytest.mark.parametrize("form", _SAME)
async def test_every_form_of_a_list_reads_the_same(vendors: Vendors, sandbox: RunningSandbox, form: str) -> None:
    empty = await sign_up(vendors)
    plain = [await everything(vendors, client_id) for client_id in (BEN_CLIENT_ID, empty)]
    sandbox.faults.set("whmcs", FaultSettings(special={form: -1}))
    assert [await everything(vendors, client_id) for client_id in (BEN_CLIENT_ID, empty)] == plain
