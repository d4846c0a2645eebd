"""One row of a WHMCS list that cannot be read: the rest of the list goes on, and operators hear its id."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import NotFound, Unreadable
from portal_app.domain.money import Money
from portal_app.domain.ports.listing import unreadable_in
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.integrations import odd_rows
from portal_app.integrations.build import Vendors, build_vendors
from tests.support.vendors.scripted_server import ScriptedServer, http, scripted_server

GOOD = {
    "userid": "2", "clientid": "2", "pid": "33", "total": "1.00", "status": "Paid", "billingcycle": "Monthly",
    "amount": "1.00", "date": "2026-01-05", "type": "CreditCard", "module": "stripe", "relid": "1",
}  # fmt: skip
Read = Callable[[Vendors], Awaitable[Any]]
# Action, where its rows stand, how they are read, the name of their id, and what makes one of them unreadable.
LISTS: list[tuple[str, tuple[str, str], Read, str, dict[str, Any]]] = [
    ("GetInvoices", ("invoices", "invoice"), lambda v: v.invoices.invoices(2), "id", {"total": "n/a"}),
    ("GetInvoices", ("invoices", "invoice"), lambda v: v.invoices.invoices(2), "id", {"duedate": "2026-13-45"}),
    ("GetClientsProducts", ("products", "product"), lambda v: v.subscriptions.subscriptions(2), "id", {"pid": None}),
    ("GetClientsProducts", ("products", "product"), lambda v: v.subscriptions.subscriptions(2), "id",
     {"recurringamount": ["980"]}),
    ("GetTransactions", ("transactions", "transaction"), lambda v: v.payment_methods.transactions(2), "id",
     {"amountin": "free"}),
    ("GetCredits", ("credits", "credit"), lambda v: _entries(v), "id", {"amount": "1e3"}),
    ("GetPayMethods", ("paymethods", ""), lambda v: v.payment_methods.payment_methods(2), "id", {"id": "first"}),
    ("GetPaymentMethods", ("paymentmethods", "paymentmethod"), lambda v: v.payment_methods.gateways(), "module",
     {"module": None}),
    ("GetCancelledPackages", ("packages", "package"), lambda v: v.subscriptions.cancellations(), "id",
     {"relid": "none"}),
]  # fmt: skip


async def _entries(vendors: Vendors) -> list[Any]:
    return (await vendors.payment_methods.credit(2)).entries


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def vendors(server: ScriptedServer, redis: Redis) -> AsyncIterator[Vendors]:
    odd_rows._named.clear()
    settings = Settings(portal_env="development", whmcs_url=server.url, whmcs_api_url=f"{server.url}/includes/api.php")
    built = build_vendors(settings, redis, Database(settings, "web"))
    yield built
    await built.close()


def answer(place: tuple[str, str], rows: Any, **more: Any) -> bytes:
    wrapped = {place[1]: rows} if place[1] else rows
    about = {"clientid": "2", "client": {"id": 2, "email": "a@example.jp"}, "totalresults": "2"}
    return http({"result": "success", **about, place[0]: wrapped, **more})


@pytest.mark.parametrize(("action", "place", "read", "id_name", "odd"), LISTS)
async def test_one_unreadable_row_is_named_and_the_others_go_on(
    vendors: Vendors, server: ScriptedServer, action: str, place: tuple[str, str], read: Read, id_name: str, odd: Any
) -> None:
    rows = [GOOD | {"id": "7"} | odd, GOOD | {"id": "8"}, None, []]
    server.script(answer(place, rows))
    figure = {"vendor": "whmcs", "list": action}
    counted = REGISTRY.get_sample_value("portal_vendor_rows_unreadable_total", figure) or 0
    with capture_logs() as logs:
        found, again = await read(vendors), await read(vendors)
    assert len(found) == len(again) == 1
    named = [(line["list"], line["row"]) for line in logs if line["event"] == "vendor.row_unreadable"]
    assert named == [(action, str({"id": "7", **odd}.get(id_name)))]
    assert REGISTRY.get_sample_value("portal_vendor_rows_unreadable_total", figure) == counted + 2


async def test_ids_of_unreadable_invoices_and_services_are_told(vendors: Vendors, server: ScriptedServer) -> None:
    odd = GOOD | {"id": "7", "total": "n/a", "recurringamount": "n/a"}
    for place, read in ((LISTS[0][1], LISTS[0][2]), (LISTS[2][1], LISTS[2][2])):
        server.script(answer(place, [odd, GOOD | {"id": "8"}, odd | {"id": "?"}]))
        assert unreadable_in(await read(vendors)) == {7}


async def test_tax_in_hundredths_is_shown_in_whole_yen(vendors: Vendors, server: ScriptedServer) -> None:
    taxed = GOOD | {"id": 5, "subtotal": "488.85", "tax": "48.89", "total": "537.74"}
    server.script(answer(("invoices", "invoice"), taxed, totalresults="1"))
    (invoice,) = await vendors.invoices.invoices(2)
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Money(489), Money(49), Money(538))


async def test_one_invoice_that_cannot_be_read_is_named_and_only_its_owner_hears_of_it(
    vendors: Vendors, server: ScriptedServer
) -> None:
    server.script(http(GOOD | {"result": "success", "invoiceid": "7", "total": "n/a"}))
    with capture_logs() as logs, pytest.raises(Unreadable):
        await vendors.invoices.invoice(2, 7)
    assert [(line["list"], line["row"]) for line in logs if line["event"] == "vendor.row_unreadable"] == [
        ("GetInvoice", "7")
    ]
    with pytest.raises(NotFound):
        await vendors.invoices.invoice(3, 7)


@pytest.mark.parametrize("total", [None, "many", []])
async def test_pages_end_without_a_readable_total(vendors: Vendors, server: ScriptedServer, total: object) -> None:
    server.script(answer(("invoices", "invoice"), [GOOD | {"id": 5}], totalresults=total))
    assert [invoice.id for invoice in await vendors.invoices.invoices(2)] == [5]


async def test_a_product_whose_price_cannot_be_read_has_no_price_and_the_others_have(
    vendors: Vendors, server: ScriptedServer
) -> None:
    products = [
        {"pid": pid, "paytype": "recurring", "pricing": {"JPY": {"monthly": price}}}
        for pid, price in ((1, "980.50"), (2, "980.00"), ("?", "1.00"))
    ]
    server.script(answer(("products", "product"), products))
    assert await vendors.product_prices.product_prices() == {2: {"monthly": Money(980)}}


async def test_an_order_is_found_by_its_reference_though_its_price_cannot_be_read(
    vendors: Vendors, server: ScriptedServer
) -> None:
    fields = {"customfield": {"name": "Portal Reference", "value": "ref-1"}}
    row = GOOD | {"id": "7", "orderid": "3", "recurringamount": "n/a", "customfields": fields}
    orders = {"orders": {"order": [{"id": "?"}, {"id": "3", "invoiceid": "9"}]}}
    server.script(answer(("products", "product"), [row, GOOD | {"id": "8", "orderid": "x"}], **orders))
    found = await vendors.whmcs_orders.find_order(2, "ref-1")
    assert found and (found.order_id, found.service_ids, found.invoice_id) == (3, (7,), 9)
