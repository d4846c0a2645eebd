"""Gateways put to the test with any answers: how each is made for an address, what it can be asked, what may come back.

A further vendor is one more function here and one more line in VENDORS.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import strategies as st
from redis.asyncio import Redis

from portal_app.domain.order import NewSalesforceOrder
from portal_app.infra.cache import Cache
from portal_app.infra.settings import Settings
from portal_app.infra.vault import ring_of
from portal_app.integrations.breaker import BreakerTimes
from portal_app.integrations.freebit import operations as op
from portal_app.integrations.freebit.client import FreebitClient
from portal_app.integrations.http import vendor_client
from portal_app.integrations.lanes import Lane
from portal_app.integrations.line import VendorLine
from portal_app.integrations.salesforce.catalog import SalesforceCatalog
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.crm import SalesforceCrm
from portal_app.integrations.salesforce.files import SalesforceFiles
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.whmcs.client import WHMCSClient
from portal_app.integrations.whmcs.gateway import WHMCSGateway
from tests.contract.freebit.test_client import DEAD, SENSELESS, ok
from tests.contract.lanes.scripted_server import Told, http
from tests.contract.whmcs.conftest import VPN, newcomer

TIMEOUT = 0.25
FAILURES = 5
ORDER = "801xx0000000001AAA"
EXPIRED = http([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
DEAD_KEY = http(DEAD)
# Both lead to a new session and to one more call.
SESSION_ENDED = (EXPIRED, DEAD_KEY)

Call = Callable[[Any], Awaitable[object]]


@dataclass(frozen=True)
class Subject:
    """A gateway at an address, and its good answer to a login where it has one."""

    gateway: Any
    line: VendorLine
    token: bytes = b""


@dataclass(frozen=True)
class Vendor:
    """What one vendor's gateway can be asked and answered.

    `reads` may be repeated at will. A write may not: `written` names what a request (its first line and its form) of a
    write does, and is empty for what may be repeated all the same. `turns`: the most calls that one call leads to.
    """

    make: Callable[[str, Redis, Path], AbstractAsyncContextManager[Subject]]
    reads: Mapping[str, Call]
    writes: Mapping[str, Call]
    answers: st.SearchStrategy[Told]
    written: Callable[[str, dict[str, str]], str]
    is_login: Callable[[str], bool] = lambda asked: False
    turns: int = 4

    @property
    def calls(self) -> dict[str, Call]:
        return {**self.reads, **self.writes}


@asynccontextmanager
async def whmcs(url: str, redis: Redis, key_file: Path) -> AsyncIterator[Subject]:
    """WHMCS, with the address of its API."""
    settings = Settings(portal_env="development", whmcs_url=url, whmcs_api_url=f"{url}/includes/api.php")
    line = line_of(redis, "whmcs")
    client = WHMCSClient(settings, vendor_client(timeout=TIMEOUT), line)
    async with aclosing(client):
        yield Subject(WHMCSGateway(client, settings), line)


@asynccontextmanager
async def salesforce(url: str, redis: Redis, key_file: Path) -> AsyncIterator[Subject]:
    """Salesforce, login and instance at one address."""
    settings = Settings(
        portal_env="development",
        sf_login_url=url,
        sf_private_key_file=str(key_file),
        sf_timeout=TIMEOUT,
        sf_threads=2,
        portal_pricebook_id="01sxx0000000001AAA",
    )
    login = SalesforceLogin(settings, vendor_client(timeout=TIMEOUT))
    line = line_of(redis, "salesforce")
    client = SalesforceClient(settings, login, line)
    doors = SimpleNamespace(
        client=client,
        catalog=SalesforceCatalog(client, settings),
        crm=SalesforceCrm(client, settings),
        files=SalesforceFiles(client, settings),
    )
    identity = "https://login/id/00Dxx0000000001EAA/005xx"
    async with aclosing(login), aclosing(client):
        yield Subject(doors, line, http({"access_token": "00D!x", "instance_url": url, "id": identity}))


@asynccontextmanager
async def freebit(url: str, redis: Redis, key_file: Path) -> AsyncIterator[Subject]:
    """Freebit, with an id and a secret."""
    settings = Settings(
        portal_env="development", freebit_url=url, freebit_client_id="id", freebit_client_secret="secret"
    )
    line = line_of(redis, "freebit")
    client = FreebitClient(settings, vendor_client(timeout=TIMEOUT), line, cache=Cache(redis), ring=ring_of(settings))
    async with aclosing(client):
        yield Subject(client, line, ok(authKey="key"))


def line_of(redis: Redis, vendor: str) -> VendorLine:
    """Return a line with short times."""
    lane = Lane(redis, vendor, concurrency=5, rate="1000/minute", queue=20, timeout=0.5)
    return VendorLine(vendor, lane, timeout=TIMEOUT, times=BreakerTimes(failures=FAILURES, open=10.0))


def new_key(folder: Path) -> Path:
    """Write a key that signs logins."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "key.pem"
    path.write_bytes(pem)
    return path


_ROW = {"id": "1", "userid": 1, "clientid": 1, "relid": 1, "pid": 33, "status": "Paid", "total": "1.00", "name": "x"}
_LISTS = [
    ("invoices", "invoice"), ("products", "product"), ("orders", "order"), ("transactions", "transaction"),
    ("credits", "credit"), ("packages", "package"), ("currencies", "currency"), ("paymentmethods", "paymentmethod"),
]  # fmt: skip
_WRAPPED = st.sampled_from(["", [], {}, None, 7, "text", _ROW, [_ROW], {"3": _ROW}, [[]], [None], [_ROW, {"id": {}}]])
_LISTED = st.builds(
    lambda name, rows, count: {"result": "success", "totalresults": count, "clientid": "1", name[0]: {name[1]: rows}},
    st.sampled_from(_LISTS), _WRAPPED, st.sampled_from([0, "1", 500, None, "many"]),
).map(http)  # fmt: skip
_MESSAGES = ["Invoice ID Not Found", "Client Not Found", "Existing Cancellation Request Exists", "Invalid IP 1.2.3.4"]
_SAID = st.builds(
    lambda message, status: http({"result": "error", "message": message}, status),
    st.sampled_from([*_MESSAGES, ""]), st.sampled_from([200, 403]),
)  # fmt: skip
_WHMCS_ODD = [
    http({"result": "success"}), http({"result": "success", "warning": "Reload"}), http({"status": "error"}),
    http({"result": "success", **_ROW, "items": "", "taxed": 2}), http({"result": "success", "orderid": 1}),
]  # fmt: skip
_ONCE_AT_WHMCS = {"AddClient", "AddOrder", "AcceptOrder", "CancelOrder", "AddCancelRequest", "DeletePayMethod"}
_WHMCS = Vendor(
    make=whmcs,
    reads={
        "find_client": lambda whmcs: whmcs.find_client("a@example.jp"),
        "invoices": lambda whmcs: whmcs.invoices(1),
        "invoice_page": lambda whmcs: whmcs.invoice_page(1, status="overdue", start=0, count=25),
        "invoice": lambda whmcs: whmcs.invoice(1, 1),
        "transactions": lambda whmcs: whmcs.transactions(1),
        "credits": lambda whmcs: whmcs.credits(1),
        "gateways": lambda whmcs: whmcs.gateways(),
        "payment_methods": lambda whmcs: whmcs.payment_methods(1),
        "set_default": lambda whmcs: whmcs.set_default_payment_method(1, 1),
        "subscriptions": lambda whmcs: whmcs.subscriptions(1),
        "cancellations": lambda whmcs: whmcs.cancellations(),
        "find_order": lambda whmcs: whmcs.find_order(1, "reference"),
        "product_prices": lambda whmcs: whmcs.product_prices(),
        "sign_on_link": lambda whmcs: whmcs.sign_on_link(1, "clientarea.php"),
    },
    writes={
        "add_client": lambda whmcs: whmcs.add_client(newcomer(), customer_number="C1", password="p"),
        "remove": lambda whmcs: whmcs.remove_payment_method(1, 1),
        "request_cancellation": lambda whmcs: whmcs.request_cancellation(1, 1, reason="x", at_period_end=True),
        "add_order": lambda whmcs: whmcs.add_order(1, [VPN], reference="reference"),
        "accept_order": lambda whmcs: whmcs.accept_order(1),
        "cancel_order": lambda whmcs: whmcs.cancel_order(1),
    },
    answers=_LISTED | _SAID | st.sampled_from(_WHMCS_ODD),
    written=lambda asked, form: form["action"] if form["action"] in _ONCE_AT_WHMCS else "",
)

_NEW_ORDER = NewSalesforceOrder(UUID(int=1), "001xx0000000001AAA", "vpn", (), datetime(2026, 4, 1, tzinfo=UTC))
_ODD_CODES = [
    "UNABLE_TO_LOCK_ROW",
    "REQUEST_LIMIT_EXCEEDED",
    "NOT_FOUND",
    "DUPLICATE_VALUE",
    "STRING_TOO_LONG",
    7,
    None,
]
_SALESFORCE_GOOD = [
    http({"totalSize": 0, "done": True, "records": []}), http({"records": [{"Id": ORDER}]}), http({"id": ORDER}, 201),
    http({"compositeResponse": [{"referenceId": "order", "httpStatusCode": 201, "body": {"id": ORDER}}]}),
]  # fmt: skip
_REFUSED = st.builds(
    lambda code, message, status: http([{"errorCode": code, "message": message}], status),
    st.sampled_from(_ODD_CODES), st.none() | st.text(max_size=5), st.sampled_from([300, 400, 403, 404, 503]),
)  # fmt: skip
_SALESFORCE = Vendor(
    make=salesforce,
    reads={
        "query": lambda sf: sf.client.query("SELECT Id FROM Order WHERE Name = {name}", name="x"),
        "update": lambda sf: sf.client.update("Order", ORDER, {"Status": "x"}),
        "upsert": lambda sf: sf.client.upsert("Order", "Portal_Order_Id__c", "a/b", {"Status": "x"}),
        "items": lambda sf: sf.catalog.items(),
        "order": lambda sf: sf.crm.order(ORDER),
        "find_customer": lambda sf: sf.crm.find_customer("C00000001"),
        "order_activated": lambda sf: sf.crm.order_activated(ORDER),
        "attached": lambda sf: sf.files.attached(ORDER),
        "content": lambda sf: sf.files.content("068xx0000000001AAA"),
    },
    writes={
        "composite": lambda sf: sf.client.composite("x", [Part("order", "POST", "sobjects/Order", {})], safe=False),
        "upsert_order": lambda sf: sf.crm.upsert_order(_NEW_ORDER),
        "store": lambda sf: sf.files.store(ORDER, name="a", content=b"x", media_type="text/plain"),
    },
    answers=st.sampled_from([*_SALESFORCE_GOOD, EXPIRED]) | _REFUSED,
    written=lambda asked, form: asked if asked.startswith("POST ") else "",
    is_login=lambda asked: "/oauth2/token" in asked,
    # A dead session leads to one more call.
    turns=8,
)

_FREEBIT_CODES = [http({"resultCode": code, "status": {"statusCode": code}}) for code in ("210", 409, "999")]
_FREEBIT = Vendor(
    make=freebit,
    reads={
        "detail": lambda freebit: freebit.call(op.DETAIL, {}),
        "usage": lambda freebit: freebit.call(op.USAGE, {}),
    },
    writes={
        "add_data": lambda freebit: freebit.call(op.ADD_DATA, {}),
        "cancel": lambda freebit: freebit.call(op.CANCEL, {}),
        "esim": lambda freebit: freebit.call(op.ESIM, {}),
    },
    answers=st.sampled_from([ok(), ok(authKey="key"), DEAD_KEY, *_FREEBIT_CODES, *SENSELESS]),
    written=lambda asked, form: "" if "oemId" in json.loads(form["json"]) else asked,
    is_login=lambda asked: "authOem" in asked,
)
VENDORS = {"whmcs": _WHMCS, "salesforce": _SALESFORCE, "freebit": _FREEBIT}
