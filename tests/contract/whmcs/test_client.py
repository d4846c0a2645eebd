"""The WHMCS client against valid and malformed answers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from asgi_correlation_id import correlation_id
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.local_breaker import BreakerTimes
from portal_app.integrations.throttling.vendor_call import Misconfigured, VendorCall
from portal_app.integrations.whmcs.client import WHMCSClient, WHMCSRejected
from portal_app.integrations.whmcs.client_records import WHMCSClientRecords
from portal_app.integrations.whmcs.invoices import WHMCSInvoices
from portal_app.integrations.whmcs.payments import WHMCSPayments
from portal_app.integrations.whmcs.services import WHMCSServices
from portal_app.integrations.whmcs.sso import WHMCSSso
from tests.support.vendors.scripted_server import ScriptedServer, half, http, scripted_server

SECRET = "s+cr&t%"
HTML = http(b"<html><h1>Oops!</h1></html>")


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def client(server: ScriptedServer, redis: Redis) -> AsyncIterator[WHMCSClient]:
    settings = _settings(server.url)
    limiter = VendorLimiter(redis, "whmcs", CallLimits(concurrency=5, rate="1000/minute", queue=20, timeout=2.0))
    client = WHMCSClient(settings, vendor_client(timeout=0.5), VendorCall("whmcs", limiter, timeout=0.5))
    yield client
    await client.aclose()


def _settings(url: str) -> Settings:
    return Settings(
        portal_env="development",
        whmcs_url=url,
        whmcs_api_url=f"{url}/includes/api.php",
        whmcs_api_identifier="id",
        whmcs_api_secret=SECRET,
    )


async def test_a_call_carries_action_credentials_and_the_correlation_id(
    client: WHMCSClient, server: ScriptedServer
) -> None:
    server.script(http({"result": "success", "version": "9"}))
    correlation_id.set("corr-1")
    assert (await client.call("WhmcsDetails", {"x": None, "y": True}, safe=True))["version"] == "9"
    correlation_id.set(None)
    assert server.requests == [
        {"y": "1", "identifier": "id", "secret": SECRET, "action": "WhmcsDetails", "responsetype": "json"}
    ]
    assert server.headers[0]["x-correlation-id"] == "corr-1"


@pytest.mark.parametrize("body", [{"result": "error"}, {"status": "error"}])
async def test_a_refusal_is_rejected_and_not_repeated(client: WHMCSClient, server: ScriptedServer, body: dict) -> None:
    server.script(http(body | {"message": "You did not enter your  address line 1"}))
    with pytest.raises(WHMCSRejected) as caught:
        await client.call("AddClient", {}, safe=True)
    assert caught.value.message == "You did not enter your address line 1"
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [{"status": "success", "a": 1}, {"a": 1}, {"result": "SUCCESS", "a": 1}])
async def test_success_has_several_spellings(client: WHMCSClient, server: ScriptedServer, body: dict) -> None:
    server.script(http(body))
    assert (await client.call("GetPermissionsList", {}, safe=True))["a"] == 1


@pytest.mark.parametrize(
    "message",
    [
        "Invalid IP 203.0.113.9",
        "Invalid or missing credentials",
        "Access Denied",
        'Invalid Permissions: API action "getpaymethods" is not allowed',
        "API Function Not Found",
    ],
)
@pytest.mark.parametrize("status", [200, 403])
async def test_refused_credentials_are_our_outage_and_not_an_error_of_the_customer(
    client: WHMCSClient, server: ScriptedServer, message: str, status: int
) -> None:
    server.script(http({"result": "error", "message": message}, status))
    with pytest.raises(Misconfigured) as caught:
        await client.call("GetClients", {}, safe=True)
    assert len(server.requests) == 1 and message in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        http(b"[]"),
        http(b'"text"'),
        http(b"[" * 50_000),
        half(b'{"result":"succ'),
        b"",
        http(b"", 503),
        http(b"", 500),
    ],
)
async def test_a_senseless_answer_to_a_read_is_unavailable_after_three_tries(
    client: WHMCSClient, server: ScriptedServer, answer: bytes
) -> None:
    server.script(answer)
    with pytest.raises(ExternalUnavailable):
        await client.call("GetInvoices", {}, safe=True)
    assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [HTML, http(b"[]"), half(b'{"result":"succ'), b"", http(b"<html>", 502)])
async def test_a_senseless_answer_to_a_write_leaves_its_outcome_unknown(
    client: WHMCSClient, server: ScriptedServer, answer: bytes
) -> None:
    server.script(answer)
    with pytest.raises(OutcomeUnknown):
        await client.call("AddOrder", {}, safe=False)
    assert len(server.requests) == 1


@pytest.mark.parametrize("action", ["AddOrder", "CapturePayment"])
async def test_a_write_that_succeeds_with_a_warning_is_in_doubt_and_no_outage(
    client: WHMCSClient, server: ScriptedServer, action: str
) -> None:
    warning = "Invalid or Missing Payment Information"
    server.script(http({"result": "success", "orderid": 5, "warning": warning}))
    with capture_logs() as logs:
        for _ in range(2 * BreakerTimes().failures):
            with pytest.raises(OutcomeUnknown, match=warning):
                await client.call(action, {}, safe=False)
    assert {line["warning"] for line in logs if line["event"] == "whmcs.warning"} == {warning}
    server.script(http({"result": "success", "a": 1}))
    assert (await client.call("GetInvoices", {}, safe=True))["a"] == 1


async def test_a_read_recovers_when_the_next_try_is_answered(client: WHMCSClient, server: ScriptedServer) -> None:
    server.script(HTML, http({"result": "success", "a": 1}))
    assert (await client.call("GetInvoices", {}, safe=True))["a"] == 1


async def test_silence_times_out(client: WHMCSClient, server: ScriptedServer) -> None:
    server.script(http({"result": "success"}))
    server.pause = 2.0
    with pytest.raises(OutcomeUnknown):
        await client.call("AddOrder", {}, safe=False)


async def test_nobody_listening_means_that_nothing_was_written(redis: Redis) -> None:
    limiter = VendorLimiter(redis, "whmcs", CallLimits(concurrency=5, rate="1000/minute", queue=20, timeout=2.0))
    line = VendorCall("whmcs", limiter, timeout=0.5)
    client = WHMCSClient(_settings("http://127.0.0.1:1"), vendor_client(timeout=0.5), line)
    with pytest.raises(ExternalUnavailable):
        await client.call("AddOrder", {}, safe=False)
    await client.aclose()


async def test_retry_after_is_obeyed(client: WHMCSClient, server: ScriptedServer) -> None:
    server.script(http(b"", 429, Retry_After="120"))
    with pytest.raises(ExternalUnavailable) as caught:
        await client.call("GetInvoices", {}, safe=True)
    assert caught.value.retry_after == 120 and len(server.requests) == 1


async def test_keys_flattened_by_old_versions_are_nested_again(client: WHMCSClient, server: ScriptedServer) -> None:
    server.script(http({"result": "success", "currencies[currency][0][id]": "1", "currencies[currency][0][code]": "X"}))
    body = await client.call("GetCurrencies", {}, safe=True)
    assert body["currencies"] == {"currency": {"0": {"id": "1", "code": "X"}}}


async def test_a_sign_on_link_that_leads_elsewhere_is_refused(client: WHMCSClient, server: ScriptedServer) -> None:
    gateway = WHMCSSso(client, _settings(server.url))
    for elsewhere in ("https://evil.example/x", server.url.replace("http", "https"), f"{server.url}@evil.example/", ""):
        server.script(http({"result": "success", "redirect_url": elsewhere}))
        with pytest.raises(ExternalRejected):
            await gateway.sign_on_link(1, "viewinvoice.php?id=5")


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "\\\\evil", "/\\evil", "a\nb", "javascript:x"]
)
async def test_a_sign_on_path_that_is_not_relative_is_never_sent(
    client: WHMCSClient, server: ScriptedServer, path: str
) -> None:
    with pytest.raises(ValueError):
        await WHMCSSso(client, _settings(server.url)).sign_on_link(1, path)
    assert server.requests == []


async def test_rows_of_another_client_are_left_out(client: WHMCSClient, server: ScriptedServer) -> None:
    own = _settings(server.url)
    payments = WHMCSPayments(client, own, WHMCSClientRecords(client, own))
    reads = (WHMCSInvoices(client, own).invoices, payments.transactions, WHMCSServices(client, own).subscriptions)
    rows = [{"id": n, "userid": n, "clientid": n, "pid": 33, "total": "1.00", "status": "Paid"} for n in (1, 2)]
    lists = {"invoices": {"invoice": rows}, "transactions": {"transaction": rows}, "products": {"product": rows}}
    server.script(http({"result": "success", "totalresults": "2", **lists}))
    for read in reads:
        assert [row.id for row in await read(2)] == [2]


async def test_an_answer_about_another_client_is_not_found(client: WHMCSClient, server: ScriptedServer) -> None:
    own = _settings(server.url)
    clients, services = WHMCSClientRecords(client, own), WHMCSServices(client, own)
    payments = WHMCSPayments(client, own, clients)
    service = {"id": 7, "clientid": 1, "pid": 33, "status": "Active"}
    about = {"clientid": "1", "client": {"id": 1, "email": "a@example.jp"}, "products": {"product": [service]}}
    answer = {"result": "success", "totalresults": "1", "credits": "", "paymethods": [], **about}
    server.script(http(answer))
    for asked in (clients.client(2), services.subscription(2, 7), services.service_field(2, 7, "EID")):
        with pytest.raises(NotFound):
            await asked
    assert await clients.find_client("b@example.jp") is None
    server.script(http({**answer, "client": {"id": 2, "email": "b@example.jp"}}))
    for read in (payments.credit, payments.payment_methods):
        with pytest.raises(ExternalUnavailable):
            await read(2)


async def test_every_page_of_a_list_is_fetched(client: WHMCSClient, server: ScriptedServer) -> None:
    def page(form: dict[str, str]) -> bytes:
        start = int(form["limitstart"])
        rows = [
            {"id": 300 - n, "userid": 1, "total": "1.00", "status": "Paid"} for n in range(start, min(start + 50, 120))
        ]
        return http({"result": "success", "totalresults": 120, "invoices": {"invoice": rows} if rows else ""})

    server.script(page)
    assert len(await WHMCSInvoices(client, _settings(server.url)).invoices(1)) == 120
    assert [form["limitstart"] for form in server.requests] == ["0", "50", "100"]


async def test_no_secret_reaches_a_log_or_an_error(client: WHMCSClient, server: ScriptedServer) -> None:
    server.script(HTML)
    with capture_logs() as logs, pytest.raises(ExternalUnavailable) as caught:
        await client.call("GetClientsDetails", {"email": "aiko@example.jp"}, safe=True)
    shown = f"{logs}{caught.value!r}{caught.value.__cause__!r}"
    assert SECRET not in shown and "aiko" not in shown


async def test_a_cancelled_call_lets_the_next_one_through(client: WHMCSClient, server: ScriptedServer) -> None:
    server.script(http({"result": "success"}))
    server.pause = 0.3
    call = asyncio.create_task(client.call("GetInvoices", {}, safe=True))
    await asyncio.sleep(0.1)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    server.pause = 0
    await client.call("GetInvoices", {}, safe=True)
