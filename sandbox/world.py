"""Filling the empty vendors with a described world: one catalogue, and customers known to both systems of record."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sandbox.freebit.network import Network
from sandbox.salesforce.errors import SalesforceError
from sandbox.sim_stock import seed_sims
from sandbox.store import Document
from sandbox.whmcs.installation import Installation
from sandbox.whmcs.invoices import MONTHS, Payment, balance_of, new_invoice, one_cycle_later, pay, period
from sandbox.whmcs.pay_methods import CardRefused, store_card
from sandbox.whmcs.people import add_member, new_client, new_user
from sandbox.whmcs.products import REFERENCE_FIELD, new_product, new_service
from sandbox.world_file import BadWorld, Card, Customer, Invoice, Item, Member, Order, Service, WorldFile, day_of

STANDARD_PRICEBOOK_QUERY = "SELECT Id FROM Pricebook2 WHERE IsStandard = true"
PORTAL_PRICEBOOK_QUERY = "SELECT Id FROM Pricebook2 WHERE Name = 'Portal'"

# How WHMCS spells two of the cycles.
_LABELS = {"Onetime": "One Time", "Free": "Free Account"}
_GROUPS = {"VPN": 1, "SIM": 2, "Internet": 3, "Other": 4}


class Rows(Protocol):
    """What seeding needs of the Salesforce sandbox's rows."""

    def create(self, object_name: str, fields: dict[str, Any]) -> str: ...
    def update(self, object_name: str, row_id: str, fields: dict[str, Any]) -> None: ...
    def query(self, text: str) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Vendors:
    """The vendors that a world fills."""

    salesforce: Rows
    whmcs: Installation
    freebit: Network


def seed(vendors: Vendors, world: WorldFile) -> bool:
    """Fill empty vendors and say whether that was done; seeded ones are left alone. All of it is one transaction."""
    store = vendors.whmcs.store
    with store.transaction(), vendors.whmcs.silence():
        if store.get("world", "seeded"):
            return False
        store.put("world", "seeded", {"at": vendors.whmcs.clock.now().isoformat()})
        _Seeding(vendors, world).run()
        return True


def pricebook_id(salesforce: Rows) -> str:
    """Return the id of the portal's price book."""
    return str(salesforce.query(PORTAL_PRICEBOOK_QUERY)[0]["Id"])


class _Seeding:
    def __init__(self, vendors: Vendors, world: WorldFile) -> None:
        self._salesforce = vendors.salesforce
        self._whmcs = vendors.whmcs
        self._freebit = vendors.freebit
        self._world = world
        self._today = vendors.whmcs.today()
        self._entries: dict[str, str] = {}
        self._clients: dict[str, Document] = {}

    def run(self) -> None:
        standard = self._salesforce.query(STANDARD_PRICEBOOK_QUERY)[0]["Id"]
        self._pricebook = self._salesforce.create("Pricebook2", {"Name": "Portal", "IsActive": True})
        for place, item in enumerate(self._world.catalogue):
            with _naming(f"catalogue[{place}] ({item.sku})"):
                self._item(item, place, standard)
        with _naming("blank_sims and sim_lines"):
            seed_sims(self._freebit, self._salesforce, self._world)
        for place, customer in enumerate(self._world.customers):
            with _naming(f"customers[{place}] ({customer.number})"):
                self._customer(customer)
        for place, member in enumerate(self._world.members):
            with _naming(f"members[{place}] ({member.email})"):
                self._member(member)

    def _item(self, item: Item, place: int, standard: str) -> None:
        product = self._salesforce.create("Product2", _product_fields(item, place + 1))
        price = {"Product2Id": product, "UnitPrice": item.price, "IsActive": True}
        self._salesforce.create("PricebookEntry", price | {"Pricebook2Id": standard})
        self._entries[item.sku] = self._salesforce.create("PricebookEntry", price | {"Pricebook2Id": self._pricebook})
        self._product(item)

    def _product(self, item: Item) -> None:
        names = [REFERENCE_FIELD, "OpportunityId"]
        if item.category == "SIM":
            names += ["SIM Number", "Serial Number", "EID"]
        fields = {str(item.whmcs_product_id * 10 + place): name for place, name in enumerate(names)}
        paytype = {"Onetime": "onetime", "Free": "free"}.get(item.cycle, "recurring")
        module = {} if item.module else {"module": ""}
        group = {"gid": _GROUPS[item.category], "group": item.category}
        new_product(
            self._whmcs, item.whmcs_product_id, name=item.name, price=item.price * 100, paytype=paytype,
            cycle=_LABELS.get(item.cycle, item.cycle), **module,
            customfields=fields, recurringcycles=item.recurring_cycles, **group,
        )  # fmt: skip

    def _customer(self, one: Customer) -> None:
        client, account = self._client(one), self._account(one)
        name = f"#{client['id']} - {one.first_name} {one.last_name}"
        self._salesforce.update("Account", account, {"WH_Account__c": name})
        for service in one.services:
            self._service(client, account, service)
        for invoice in one.invoices:
            self._invoice(client, invoice)
        for order in one.orders:
            self._order(account, order.skus, self._day(order.made), {"Status": "Pending Review"}, order)
        for card in one.cards:
            self._card(client, card)

    def _client(self, one: Customer) -> Document:
        person = {"firstname": one.first_name, "lastname": one.last_name, "email": one.email, "phonenumber": one.phone}
        home = one.address
        place = {
            "address1": home.address1, "address2": home.address2, "city": home.city, "state": home.state,
            "postcode": home.postcode, "country": "JP", "credit": one.credit * 100, "customfields": {"198": one.number},
            "allow_sso": int(one.single_sign_on),
        }  # fmt: skip
        user = new_user(self._whmcs, person, one.password) | {"two_factor": one.two_factor}
        self._whmcs.save("user", user)
        self._clients[one.number] = new_client(self._whmcs, user, person | place)
        return self._clients[one.number]

    def _member(self, one: Member) -> None:
        person = {"firstname": one.first_name, "lastname": one.last_name, "email": one.email, "phonenumber": ""}
        add_member(
            self._whmcs, self._clients[one.customer], new_user(self._whmcs, person, one.password), one.permissions
        )  # fmt: skip

    def _account(self, one: Customer) -> str:
        home = one.address
        account = self._salesforce.create("Account", {
            "Name": f"{one.first_name} {one.last_name}", "SF_Account_No__c": one.number, "Phone": one.phone,
            "Portal_Status__c": "Active", "Portal_Registration_Source__c": "New Signup",
            "Internet_Eligibility_Status__c": "Not Requested", "Id_Verification_Status__c": "Not Submitted",
            "BillingStreet": home.street_ja, "BillingCity": home.city_ja, "BillingState": home.state_ja,
            "BillingPostalCode": home.postcode, "BillingCountry": "Japan", **one.account,
        })  # fmt: skip
        self._salesforce.create("Contact", {
            "AccountId": account, "FirstName": one.first_name, "LastName": one.last_name, "Email": one.email,
            "MobilePhone": one.phone, **one.contact,
        })  # fmt: skip
        return account

    def _service(self, client: Document, account: str, wanted: Service) -> None:
        item, start = self._world.item(wanted.sku), self._day(wanted.started)
        product = self._whmcs.row("product", item.whmcs_product_id) or {}
        order = self._whmcs.add("order", {
            "ordernum": str(4100000000 + self._whmcs.store.next_number("world.order")), "userid": client["id"],
            "date": f"{start} 10:00:00", "amount": product["price"], "paymentmethod": "stripe", "invoiceid": 0,
            "status": "Active", "ipaddress": "127.0.0.1", "promocode": "",
        })  # fmt: skip
        ids = {name: number for number, name in product["customfields"].items()}
        fields = {ids[name]: value for name, value in wanted.custom_fields.items() if name in ids}
        service = new_service(
            self._whmcs, client["id"], product, orderid=order["id"], regdate=str(start), status=wanted.status,
            nextduedate=str(start), customfields=fields, billingcycle=product["cycle"],
            recurringamount=product["price"] if product["cycle"] in MONTHS else 0,
        )  # fmt: skip
        self._bill(client, service, order, wanted)
        done = {"WHMCS_Order_ID__c": str(order["id"]), "Status": "Pending Review"}
        sf_order = self._order(account, [wanted.sku], start, done, service_id=str(service["id"]))
        if wanted.status != "Pending":
            self._salesforce.update("Order", sf_order, {"Activation_Status__c": "Activated", "Status": "Processed"})

    def _bill(self, client: Document, service: Document, order: Document, wanted: Service) -> None:
        item, day, cycle = self._world.item(wanted.sku), self._day(wanted.started), service["billingcycle"]
        for place, status in enumerate(wanted.invoices):
            text = f"{item.name} {period(day, cycle)}" if cycle in MONTHS else item.name
            line = {"type": "Hosting", "relid": service["id"], "description": text, "taxed": 1}
            lines = [line | {"amount": service["firstpaymentamount"]}]
            invoice = self._new_invoice(client, lines, (day, day), status)
            if not place:
                amount = balance_of(self._whmcs, invoice).total
                self._whmcs.save("order", order | {"invoiceid": invoice["id"], "amount": amount})
            day = one_cycle_later(day, cycle) if cycle in MONTHS else day

    def _invoice(self, client: Document, wanted: Invoice) -> None:
        lines = [
            {"type": "Item", "relid": 0, "description": line.description, "amount": line.amount * 100, "taxed": 1}
            for line in wanted.lines
        ]
        self._new_invoice(client, lines, (self._day(wanted.made), self._day(wanted.due)), wanted.status)

    def _new_invoice(self, client: Document, lines: list[Document], days: tuple[date, date], status: str) -> Document:
        made = f"{days[0]} 10:00:00"
        times = {"date": str(days[0]), "duedate": str(days[1]), "created_at": made, "updated_at": made}
        invoice = new_invoice(self._whmcs, client["id"], lines, **times)
        if status == "Paid":
            amount = balance_of(self._whmcs, invoice).balance
            paid_at = f"{days[0]} 10:05:00"
            pay(self._whmcs, invoice, Payment(amount, "stripe", f"ch_seed_{invoice['id']}", paid_at))
        return invoice

    def _order(
        self, account: str, skus: list[str], day: date, ids: dict[str, str], wanted: Order | None = None, *,
        service_id: str = "",
    ) -> str:  # fmt: skip
        category = self._world.item(skus[0]).category
        order = self._salesforce.create("Order", {
            "AccountId": account, "EffectiveDate": str(day), "Order_Type__c": category,
            "Pricebook2Id": self._pricebook, "Activation_Type__c": "Immediate", **ids,
        })  # fmt: skip
        for sku in skus:
            line = {"OrderId": order, "PricebookEntryId": self._entries[sku], "Quantity": 1}
            line |= {"UnitPrice": self._world.item(sku).price, "WHMCS_Service_ID__c": service_id or None}
            self._salesforce.create("OrderItem", line)
        if wanted and wanted.status != "Pending Review":
            self._salesforce.update("Order", order, {"Status": wanted.status})
        return order

    def _card(self, client: Document, card: Card) -> None:
        expiry = card.expiry or f"12{(self._today.year + 3) % 100:02}"
        store_card(self._whmcs, client["id"], card.number, expiry, description=card.description)

    def _day(self, day: date | str) -> date:
        return day_of(day, self._today)


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Say which table of the file a vendor refused."""
    try:
        yield
    except (SalesforceError, CardRefused, ValueError) as error:
        raise BadWorld(f"{place}: {error}") from error


def _product_fields(item: Item, place: int) -> dict[str, Any]:
    given = {name: _json_text(value) for name, value in item.salesforce.items()}
    cycle = "Onetime" if item.cycle in _LABELS else "Monthly"
    return {
        "Name": item.name, "ProductCode": item.sku, "StockKeepingUnit": item.sku, "IsActive": True,
        "Item_Class__c": item.kind, "Billing_Cycle__c": cycle, "Product_Category__c": item.category,
        "Portal_Catalog__c": item.kind != "Activation", "Portal_Accessible__c": True, "Display_Order__c": place * 10,
        "WH_Product_ID__c": item.whmcs_product_id, "WH_Product_Name__c": item.name, **given,
    }  # fmt: skip


def _json_text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
