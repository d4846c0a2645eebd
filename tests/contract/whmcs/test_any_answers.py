"""Whatever WHMCS answers, in whatever order: the gateway ends in time, sends no write twice and raises our errors."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from portal_app.domain.errors import PortalError
from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.lanes import Lane
from portal_app.integrations.line import VendorLine
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.gateway import WHMCSGateway
from tests.contract.lanes.scripted_server import half, http, scripted_server
from tests.contract.lanes.servers import quick_redis
from tests.contract.whmcs.conftest import VPN, newcomer

LONGEST = 8.0
ONCE = {"AddClient", "AddOrder", "AcceptOrder", "AddCancelRequest", "DeletePayMethod"}
ROW = {"id": "1", "userid": 1, "clientid": 1, "relid": 1, "pid": 33, "status": "Paid", "total": "1.00", "name": "x"}
LISTS = [
    ("invoices", "invoice"), ("products", "product"), ("orders", "order"), ("transactions", "transaction"),
    ("credits", "credit"), ("packages", "package"), ("currencies", "currency"), ("paymentmethods", "paymentmethod"),
]  # fmt: skip
WRAPPED = st.sampled_from(["", [], {}, None, 7, "text", ROW, [ROW], {"3": ROW}, [[]], [None, "x"], [ROW, {"id": {}}]])
BODIES = st.builds(
    lambda name, rows, count: {"result": "success", "totalresults": count, "clientid": "1", name[0]: {name[1]: rows}},
    st.sampled_from(LISTS), WRAPPED, st.sampled_from([0, "1", 500, None, "many"]),
).map(http)  # fmt: skip
ERRORS = ["Invoice ID Not Found", "Client Not Found", "Existing Cancellation Request Exists", "Invalid IP 1.2.3.4", ""]
SAID = st.sampled_from(
    [http({"result": "error", "message": message}, code) for message in ERRORS for code in (200, 403)]
)
SENSELESS = st.sampled_from([
    http(b"<html>"), http(b"[]"), http(b"null"), half(b'{"result":"succ'), b"", b"HTTP/1.1 broken\r\n\r\n",
    http(b"", 429), http(b"", 429, Retry_After="x"), http(b"", 500), http(b"", 301, Location="https://evil.example"),
    http({"result": "success"}), http({"result": "success", "warning": "Reload"}), http({"status": "error"}),
    http(b'{"result":"success","client":' + b"[" * 50_000), http({"result": "success", **ROW, "items": "", "taxed": 2}),
])  # fmt: skip
CALLS: dict[str, Callable[[WHMCSGateway], Awaitable[object]]] = {
    "find_client": lambda whmcs: whmcs.find_client("a@example.jp"),
    "add_client": lambda whmcs: whmcs.add_client(newcomer(), customer_number="C1", password="p"),
    "invoices": lambda whmcs: whmcs.invoices(1),
    "invoice_page": lambda whmcs: whmcs.invoice_page(1, status="overdue", start=0, count=25),
    "invoice": lambda whmcs: whmcs.invoice(1, 1),
    "transactions": lambda whmcs: whmcs.transactions(1),
    "credits": lambda whmcs: whmcs.credits(1),
    "gateways": lambda whmcs: whmcs.gateways(),
    "payment_methods": lambda whmcs: whmcs.payment_methods(1),
    "set_default": lambda whmcs: whmcs.set_default_payment_method(1, 1),
    "remove": lambda whmcs: whmcs.remove_payment_method(1, 1),
    "subscriptions": lambda whmcs: whmcs.subscriptions(1),
    "request_cancellation": lambda whmcs: whmcs.request_cancellation(1, 1, reason="x", at_period_end=True),
    "cancellations": lambda whmcs: whmcs.cancellations(),
    "find_order": lambda whmcs: whmcs.find_order(1, "reference"),
    "add_order": lambda whmcs: whmcs.add_order(1, [VPN], reference="reference"),
    "accept_order": lambda whmcs: whmcs.accept_order(1),
    "product_prices": lambda whmcs: whmcs.product_prices(),
    "sign_on_link": lambda whmcs: whmcs.sign_on_link(1, "clientarea.php"),
}


@settings(max_examples=25, deadline=None, derandomize=True)
@given(call=st.sampled_from(sorted(CALLS)), answers=st.lists(BODIES | SAID | SENSELESS, min_size=1, max_size=6))
def test_no_sequence_of_answers_hangs_repeats_a_write_or_escapes(call: str, answers: list[bytes]) -> None:
    asyncio.run(_try(CALLS[call], answers))


async def _try(call: Callable[[WHMCSGateway], Awaitable[object]], answers: list[bytes]) -> None:
    nobody = quick_redis("redis://127.0.0.1:1/0")
    async with scripted_server() as server:
        server.script(*answers)
        own = Settings(portal_env="development", whmcs_url=server.url, whmcs_api_url=f"{server.url}/includes/api.php")
        lane = Lane(nobody, "whmcs", concurrency=5, rate="10000/minute", queue=20, timeout=1.0)
        client = WHMCSClient(own, vendor_client(timeout=0.5), VendorLine("whmcs", lane, timeout=0.5))
        try:
            async with asyncio.timeout(LONGEST):
                with suppress(PortalError):
                    await call(WHMCSGateway(client, own))
        finally:
            await client.aclose()
            await nobody.aclose()
    sent = Counter(form["action"] for form in server.requests)
    assert all(sent[action] <= 1 for action in ONCE)
