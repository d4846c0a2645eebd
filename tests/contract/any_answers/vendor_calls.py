"""What the gateways of each vendor can be asked, and what may come back: for tests with any answers.

A further vendor is one more Vendor here and one more line in VENDORS.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from redis.asyncio import Redis

from portal_app.domain.billing.charge import NewInvoice
from portal_app.domain.internet.eligibility import CheckRequest
from portal_app.domain.money import Money
from portal_app.domain.orders.order import NewSalesforceOrder
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.ports.clients import BillingClient
from portal_app.domain.ports.whmcs_accounts import MigratingCustomer
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import BillingAddress, ProfileChange
from portal_app.domain.sim.sim import NewLine
from portal_app.domain.subscriptions.cancellation import CancellationRequest
from portal_app.integrations.salesforce.client import Part
from tests.contract.any_answers.subjects import Subject, freebit, salesforce, whmcs
from tests.support.values.stored_files import FILE, read
from tests.support.vendors.freebit_answers import ACCOUNT, DEAD, SENSELESS, ok
from tests.support.vendors.scripted_server import Told, http
from tests.support.vendors.sims import EID, PERSON, PORT_IN
from tests.support.vendors.whmcs_orders import VPN, newcomer

Call = Callable[[Any], Awaitable[object]]
EXPIRED = http([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
DEAD_KEY = http(DEAD)
# Both lead to a new session and to one more call.
SESSION_ENDED = (EXPIRED, DEAD_KEY)


@dataclass(frozen=True)
class Vendor:
    """What one vendor's gateways can be asked and answered.

    The first of `reads` and `writes` is a single request. `reads` may be repeated at will. A write may not: `written`
    names what a request (its first line and its form) of a write does, and is empty for what may be repeated all the
    same. `answers` are what the vendor may say, `odd` those that are proper and still not what was asked for, `good`
    such as let calls come to their second and third request. `turns`: the most calls that one call leads to. `logins`:
    whether logins work or not, where there are any.
    """

    make: Callable[[str, Redis, Path], AbstractAsyncContextManager[Subject]]
    reads: Mapping[str, Call]
    writes: Mapping[str, Call]
    answers: st.SearchStrategy[Told]
    odd: tuple[bytes, ...]
    good: tuple[bytes, ...]
    written: Callable[[str, dict[str, str]], str]
    is_login: Callable[[str], bool] = lambda asked: False
    logins: tuple[bool, ...] = (True, False)
    turns: int = 8

    @property
    def calls(self) -> dict[str, Call]:
        return {**self.reads, **self.writes}


_ROW = {"id": "1", "userid": 1, "clientid": 1, "relid": 1, "pid": 33, "status": "Paid", "total": "1.00", "name": "x"}
_LISTS = [
    ("invoices", "invoice"), ("products", "product"), ("orders", "order"), ("transactions", "transaction"),
    ("credits", "credit"), ("packages", "package"), ("currencies", "currency"), ("paymentmethods", "paymentmethod"),
    ("users", "user"),
]  # fmt: skip
_WRAPPED = ["", [], {}, None, 7, "text", _ROW, [_ROW], {"3": _ROW}, [[]], [None], [_ROW, {"id": {}}], [{"id": 10**30}]]


def _listed(rows: object, count: object = 1) -> dict[str, Any]:
    """Return an answer in which every list has these rows."""
    return {"result": "success", "totalresults": count, "clientid": "1"} | {
        plural: {singular: rows} for plural, singular in _LISTS
    }


_ANY_LISTED = st.builds(_listed, st.sampled_from(_WRAPPED), st.sampled_from([0, "1", 500, None, "many"])).map(http)
_MESSAGES = ["Invoice ID Not Found", "Client Not Found", "Existing Cancellation Request Exists", "Invalid IP 1.2.3.4"]
_SAID = st.builds(
    lambda message, status: http({"result": "error", "message": message}, status),
    st.sampled_from([*_MESSAGES, ""]), st.sampled_from([200, 403]),
)  # fmt: skip
_FORTY_DIGITS = "9" * 40
_WHMCS_ODD = (
    http({"result": "success"}),
    http({"status": "error"}),
    http({"result": "success", "warning": "Reload"}),
    http({"result": "success", **_ROW, "items": "", "taxed": 2}),
    http({"result": "success", "orderid": 1}),
    http({"result": "success", "orderid": {}, "clientid": [], "userid": {}, "client": 7, "redirect_url": 7}),
    http({"result": "success", "client": {"id": "x", "users": {"user": [{"id": "1"}]}, "owner_user_id": "x"}}),
    http({"result": "success", "client": {"id": 1, "credit": "much", "marketing_emails_opt_in": "perhaps"}}),
    http({"result": "success", "userid": "1", "twoFactorEnabled": "perhaps"}),
    http({"result": "success", "userid": _FORTY_DIGITS, "orderid": _FORTY_DIGITS, "clientid": _FORTY_DIGITS}),
    *(http(_listed(rows)) for rows in _WRAPPED),
)
_SERVICE = {"id": 1, "clientid": 1, "pid": 33, "orderid": 1, "status": "Active", "customfields": {"customfield": [
    {"id": 1, "name": "Portal Reference", "value": "reference"}, {"id": 2, "name": "EID", "value": "x"},
]}}  # fmt: skip
_WHMCS_GOOD = http({
    "result": "success", "totalresults": "1", "clientid": "1", "userid": "1", "twoFactorEnabled": "false",
    "client": {"id": 1, "email": "a@example.jp", "owner_user_id": 1}, "products": {"product": [_SERVICE]},
    "orders": {"order": [{"id": 1, "userid": 1, "status": "Pending"}]},
    "currencies": {"currency": [{"id": 1, "code": "JPY"}]},
})  # fmt: skip
_ONCE_AT_WHMCS = {
    "AddClient", "AddOrder", "AcceptOrder", "CancelOrder", "AddCancelRequest", "DeletePayMethod", "CreateInvoice",
    "CapturePayment", "UpdateInvoice", "AddCredit",
}  # fmt: skip
_TOP_UP = NewInvoice("1 GB", Money(500), "stripe", date(2026, 4, 8), "reference")
_CHANGE = ProfileChange(first_name="Hana", last_name="Sato", phone="09012345678", language="ja")
_WHMCS = Vendor(
    make=whmcs,
    reads={
        "find_client": lambda whmcs: whmcs.clients.find_client("a@example.jp"),
        "client": lambda whmcs: whmcs.clients.client(1),
        "set_client_status": lambda whmcs: whmcs.clients.set_client_status(1, "Active"),
        "invoices": lambda whmcs: whmcs.invoices.invoices(1),
        "invoice": lambda whmcs: whmcs.invoices.invoice(1, 1),
        "invoice_of_anyone": lambda whmcs: whmcs.invoices.invoice_of_anyone(1),
        "find_invoice": lambda whmcs: whmcs.charges.find_invoice(1, "reference"),
        "charged_invoice": lambda whmcs: whmcs.charges.charged_invoice(1, 1),
        "transactions": lambda whmcs: whmcs.payment_methods.transactions(1),
        "credit": lambda whmcs: whmcs.payment_methods.credit(1),
        "gateways": lambda whmcs: whmcs.payment_methods.gateways(),
        "payment_methods": lambda whmcs: whmcs.payment_methods.payment_methods(1),
        "set_default": lambda whmcs: whmcs.payment_methods.set_default_payment_method(1, 1),
        "subscriptions": lambda whmcs: whmcs.subscriptions.subscriptions(1),
        "subscription": lambda whmcs: whmcs.subscriptions.subscription(1, 1),
        "service_owner": lambda whmcs: whmcs.subscriptions.service_owner(1),
        "order_owner": lambda whmcs: whmcs.whmcs_orders.order_owner(1),
        "order_status": lambda whmcs: whmcs.whmcs_orders.order_status(1),
        "cancellations": lambda whmcs: whmcs.subscriptions.cancellations(),
        "find_order": lambda whmcs: whmcs.whmcs_orders.find_order(1, "reference"),
        "set_service_fields": lambda whmcs: whmcs.subscriptions.set_service_fields(1, 1, {"EID": "x"}),
        "change_product": lambda whmcs: whmcs.subscriptions.change_product(1, 1, product_id=2, recurring=Money(1)),
        "find_credit": lambda whmcs: whmcs.charges.find_credit(1, "reference"),
        "service_field": lambda whmcs: whmcs.subscriptions.service_field(1, 1, "EID"),
        "product_prices": lambda whmcs: whmcs.product_prices.product_prices(),
        "sign_on_link": lambda whmcs: whmcs.sso.sign_on_link(1, "clientarea.php"),
        "person": lambda whmcs: whmcs.people.person(1),
        "change_person": lambda whmcs: whmcs.people.change(1, _CHANGE),
        "find_login": lambda whmcs: whmcs.logins.find("a@example.jp"),
        "check_login": lambda whmcs: whmcs.logins.verify_password("a@example.jp", "password"),
        "set_customer_number": lambda whmcs: whmcs.logins.set_customer_number(1, "C00000001"),
    },
    writes={
        "remove": lambda whmcs: whmcs.payment_methods.remove_payment_method(1, 1),
        "add_client": lambda whmcs: whmcs.clients.add_client(newcomer(), customer_number="C1", password="p"),
        "request_cancellation": lambda whmcs: whmcs.subscriptions.request_cancellation(
            1, 1, reason="x", at_period_end=True
        ),
        "add_order": lambda whmcs: whmcs.whmcs_orders.add_order(1, [VPN], reference="reference"),
        "accept_order": lambda whmcs: whmcs.whmcs_orders.accept_order(1),
        "cancel_order": lambda whmcs: whmcs.whmcs_orders.cancel_order(1),
        "add_credit": lambda whmcs: whmcs.charges.add_credit(1, Money(1), description="x", reference="y"),
        "create_invoice": lambda whmcs: whmcs.charges.create_invoice(1, _TOP_UP),
        "capture": lambda whmcs: whmcs.charges.capture(1),
        "cancel_invoice": lambda whmcs: whmcs.charges.cancel_invoice(1),
    },
    answers=_ANY_LISTED | _SAID | st.sampled_from(_WHMCS_ODD),
    odd=_WHMCS_ODD,
    good=(_WHMCS_GOOD,),
    written=lambda asked, form: form["action"] if form["action"] in _ONCE_AT_WHMCS else "",
    logins=(True,),
)

_ORDER, _ACCOUNT, _STOCK = "801xx0000000001AAA", "001xx0000000001AAA", "a00xx0000000001AAA"
_NOW = datetime(2026, 4, 1, tzinfo=UTC)
_NEW_ORDER = NewSalesforceOrder(UUID(int=1), _ACCOUNT, "vpn", (), _NOW)
_CUSTOMER = Customer(UUID(int=2), 1, _ACCOUNT, "003xx0000000001AAA", "C00000001")
_MOVER = MigratingCustomer(
    UUID(int=2), "a@example.jp", "C00000001",
    BillingClient(1, "a@example.jp", "Hana", "Sato", "", "Active", "", Money(0)), BillingAddress(),
)  # fmt: skip
_ENDING = CancellationRequest(
    UUID(int=3), 7, "VPN", "vpn", "price", "", "sending", date(2026, 4, 30), _NOW, _NOW, _NOW
)  # fmt: skip


def _address_check() -> CheckRequest:
    return CheckRequest(UUID(int=4), newcomer().address, _NOW)


_ODD_CODES = [
    "UNABLE_TO_LOCK_ROW",
    "REQUEST_LIMIT_EXCEEDED",
    "NOT_FOUND",
    "DUPLICATE_VALUE",
    "STRING_TOO_LONG",
    7,
    None,
]
_SALESFORCE_ODD = (
    http({"totalSize": 0, "done": True, "records": []}),
    http({"records": [{"Id": _ORDER}]}),
    http({"records": [{"Id": None, "SystemModstamp": 7, "ContentDocumentId": {}, "AccountId": 7, "Account": None}]}),
    http({"records": [{"Id": "no id", "PricebookEntry": 7, "ContentSize": "large", "open": "many"}]}),
    http({"records": [{}, {"PricebookEntry": {"Product2": 7}, "Product2": 7, "Email": 7}]}),
    http({"Id": _ORDER, "AccountId": _ACCOUNT, "CreatedDate": "once", "Id_Verification_Submitted_At__c": "x"}),
    http({"Id": _ORDER, "SystemModstamp": "once", "SIM_Type__c": 7, "Activation_Type__c": "Scheduled"}),
    http({"id": _ORDER}, 201),
    http({"id": 7}, 201),
    http(b"", 204),
    http(b"[]"),
    http({"compositeResponse": []}),
    http({"compositeResponse": [{"referenceId": "order", "httpStatusCode": 201, "body": {"id": _ORDER}}]}),
    *(
        http({"compositeResponse": [{"referenceId": name, "httpStatusCode": 201, "body": body} for name in _NAMES]})
        for _NAMES in [("order", "account", "contact", "opportunity", "case", "item0", "x")]
        for body in ({"id": "no id"}, {}, None, [], {"id": _ORDER})
    ),
)


def _made_at_salesforce(asked: str, form: dict[str, str]) -> str:
    """Name what makes a record each time it is sent: of the calls in one, those with a POST among them."""
    is_one_of_many = asked.endswith("/composite") and '"method": "POST"' not in str(form)
    return asked if asked.startswith("POST ") and not is_one_of_many else ""


_REFUSED = st.builds(
    lambda code, message, status: http([{"errorCode": code, "message": message}], status),
    st.sampled_from(_ODD_CODES), st.none() | st.text(max_size=5), st.sampled_from([300, 400, 403, 404, 503]),
)  # fmt: skip
_SALESFORCE = Vendor(
    make=salesforce,
    reads={
        "query": lambda sf: sf.client.query("SELECT Id FROM Order WHERE Name = {name}", name="x"),
        "update": lambda sf: sf.client.update("Order", _ORDER, {"Status": "x"}),
        "upsert": lambda sf: sf.client.upsert("Order", "Portal_Order_Id__c", "a/b", {"Status": "x"}),
        "items": lambda sf: sf.catalog.items(),
        "find_customer": lambda sf: sf.crm.find_customer("C00000001"),
        "upsert_customer": lambda sf: sf.crm.upsert_customer(
            newcomer(), user_id=UUID(int=1), customer_number="C00000001", whmcs_client_id=1
        ),
        "change_customer": lambda sf: sf.crm.change_customer(_CUSTOMER, _CHANGE),
        "order": lambda sf: sf.crm.order(_ORDER),
        "orders": lambda sf: sf.crm.orders([_ORDER]),
        "orders_changed": lambda sf: sf.crm.orders_changed_since(_NOW),
        "order_billed": lambda sf: sf.crm.order_billed(_ORDER, billing=BillingOrder(1, (1,), None)),
        "order_activated": lambda sf: sf.crm.order_activated(_ORDER),
        "order_lines": lambda sf: sf.crm.order_lines(_ORDER),
        "order_reopened": lambda sf: sf.crm.order_reopened(_ORDER),
        "open_cases": lambda sf: sf.crm.open_cases(_ACCOUNT),
        "open_case": lambda sf: sf.crm.open_case(_CUSTOMER, reference=UUID(int=5), subject="x", description="x"),
        "find_person": lambda sf: sf.existing_accounts.find_person("a@example.jp"),
        "claim_contact": lambda sf: sf.existing_accounts.claim_contact("C00000001", "a@example.jp", UUID(int=1)),
        "adopt": lambda sf: sf.existing_accounts.adopt(_MOVER),
        "stored": lambda sf: sf.files.stored(FILE),
        "file": lambda sf: sf.files.file("069xx0000000001AAA"),
        "sim_order": lambda sf: sf.sims.sim_order(_ORDER),
        "assigned_to": lambda sf: sf.sims.assigned_to(_ORDER),
        "available": lambda sf: sf.sims.available("esim"),
        "assign": lambda sf: sf.sims.assign(_STOCK, sf_order_id=_ORDER, sf_account_id=_ACCOUNT),
        "identity_check": lambda sf: sf.identity.status_of(_ACCOUNT),
        "identity_checks": lambda sf: sf.identity.checks([_ACCOUNT]),
        "identity_submit": lambda sf: sf.identity.submit(_ACCOUNT, submitted_at=_NOW),
        "check_of": lambda sf: sf.internet.check_of(_ACCOUNT),
        "checks_of": lambda sf: sf.internet.checks_of([_ACCOUNT]),
        "opportunity_of": lambda sf: sf.internet.opportunity_of(_ACCOUNT, 7),
    },
    writes={
        "composite": lambda sf: sf.client.composite("x", [Part("order", "POST", "sobjects/Order", {})], safe=False),
        "upsert_order": lambda sf: sf.crm.upsert_order(_NEW_ORDER),
        "store": lambda sf: sf.files.store(_ORDER, FILE, read),
        "address_check": lambda sf: sf.internet.request(_CUSTOMER, _address_check()),
        "link_line": lambda sf: sf.internet.link_line(_ACCOUNT, service_id=7, title="x"),
        "show_cancellation": lambda sf: sf.cancellations.show(_CUSTOMER, _ENDING, opportunity_id=""),
    },
    answers=st.sampled_from([*_SALESFORCE_ODD, EXPIRED]) | _REFUSED,
    odd=_SALESFORCE_ODD,
    good=(_SALESFORCE_ODD[0], _SALESFORCE_ODD[1]),
    written=_made_at_salesforce,
    is_login=lambda asked: "/oauth2/token" in asked,
    # A dead session leads to one more call.
    turns=16,
)

_LINE = {"account": ACCOUNT, "state": "active", "planCode": "P", "contractLine": "4G", "talk": {"voiceMail": "20"}}
_NEW_LINE = NewLine(ACCOUNT, "PASI_V10G")
_FREEBIT_ODD = (
    ok(),
    ok(responseDatas=[_LINE]),
    ok(responseDatas=[_LINE | {"quota": "much", "startDate": "99999999"}]),
    ok(responseDatas=[_LINE | {"talk": {"voiceMail": True}, "state": 7}]),
    ok(responseDatas=[{"account": "07099999999"}], traffic={"today": "1", "inRecentDays": "1,x", "blackList": "10"}),
    ok(responseDatas=[None], traffic={"today": {}, "blackList": "10"}, quotaHistory=[{"quota": "1", "date": "x"}]),
    ok(responseDatas=7, traffic=7, quotaHistory=7),
    ok(responseDatas={"account": ACCOUNT}, traffic=[], quotaHistory=[7]),
    ok(responseDatas=[], traffic={}, quotaHistory=[]),
    ok(responseDatas=[7], quotaHistory={"quota": "1"}),
    ok(authKey={}),
)
_FREEBIT_CODES = [http({"resultCode": code, "status": {"statusCode": code}}) for code in ("210", 409, "999")]
_SAFE_AT_FREEBIT = ("authOem/", "getAcnt/", "getTrafficInfo/", "getQuotaHistory/")
_FREEBIT = Vendor(
    make=freebit,
    reads={
        "line": lambda freebit: freebit.line(ACCOUNT),
        "usage": lambda freebit: freebit.usage(ACCOUNT),
        "top_ups": lambda freebit: freebit.top_ups(ACCOUNT),
        "last_answered_at": lambda freebit: freebit.last_answered_at(),
    },
    writes={
        "register_voice": lambda freebit: freebit.register_voice(ACCOUNT, {"voice_mail": True}, PERSON),
        "add_data": lambda freebit: freebit.add_data(ACCOUNT, 100, reference="click"),
        "activate_physical": lambda freebit: freebit.activate_physical(_NEW_LINE),
        "activate_ported": lambda freebit: freebit.activate_ported(_NEW_LINE, PORT_IN),
        "activate_esim": lambda freebit: freebit.activate_esim(_NEW_LINE, eid=EID),
        "reissue_esim": lambda freebit: freebit.reissue_esim(ACCOUNT, eid=EID),
        "change_voice": lambda freebit: freebit.change_voice(ACCOUNT, {"voice_mail": True}),
        "change_network": lambda freebit: freebit.change_network(ACCOUNT, "5G"),
        "change_plan": lambda freebit: freebit.change_plan(ACCOUNT, "Q"),
        "cancel": lambda freebit: freebit.cancel(ACCOUNT),
    },
    answers=st.sampled_from([*_FREEBIT_ODD, DEAD_KEY, *_FREEBIT_CODES, *SENSELESS]),
    odd=_FREEBIT_ODD,
    good=(ok(responseDatas=[_LINE], quotaHistory=[]), _FREEBIT_CODES[0]),
    written=lambda asked, form: "" if asked.endswith(_SAFE_AT_FREEBIT) else asked,
    is_login=lambda asked: "authOem" in asked,
)
VENDORS = {"whmcs": _WHMCS, "salesforce": _SALESFORCE, "freebit": _FREEBIT}
