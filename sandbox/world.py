"""The seeded world: one catalogue at Salesforce and WHMCS, and two demo customers known to both."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from sandbox.clock import Clock
from sandbox.store import Document, Store
from sandbox.whmcs.installation import Installation
from sandbox.whmcs.invoices import Payment, balance_of, new_invoice, one_cycle_later, pay, period
from sandbox.whmcs.pay_methods import store_card
from sandbox.whmcs.people import add_member, new_client, new_user
from sandbox.whmcs.products import REFERENCE_FIELD, new_product, new_service

PASSWORD = "walk-the-portal-1"
AIKO_EMAIL, AIKO_NUMBER, AIKO_CLIENT_ID = "aiko@example.jp", "C00000001", 1
BEN_EMAIL, BEN_NUMBER, BEN_CLIENT_ID = "ben@example.jp", "C00000002", 2
# Known to WHMCS and Salesforce, never seen by the portal. Daichi has a second factor at WHMCS; Emi owns no client
# and may only look at Ben's.
CHIE_EMAIL, CHIE_NUMBER, CHIE_CLIENT_ID = "chie@example.jp", "C00000003", 3
DAICHI_EMAIL, DAICHI_NUMBER, DAICHI_CLIENT_ID = "daichi@example.jp", "C00000004", 4
EMI_EMAIL = "emi@example.jp"
PRICEBOOK_NAME = "Portal"
STANDARD_PRICEBOOK_QUERY = "SELECT Id FROM Pricebook2 WHERE IsStandard = true"
PORTAL_PRICEBOOK_QUERY = f"SELECT Id FROM Pricebook2 WHERE Name = '{PRICEBOOK_NAME}'"

_GROUPS = {"VPN": 1, "SIM": 2, "Internet": 3}


class Rows(Protocol):
    """What seeding needs of the Salesforce sandbox's rows."""

    def create(self, object_name: str, fields: dict[str, Any]) -> str: ...
    def update(self, object_name: str, row_id: str, fields: dict[str, Any]) -> None: ...
    def query(self, text: str) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Item:
    """One thing on sale: its SKU, WHMCS product id, price in whole yen without tax, and Salesforce fields."""

    sku: str
    pid: int
    price: int
    name: str
    kind: str = "Service"
    cycle: str = "Monthly"
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def category(self) -> str:
        """The product category, which begins the SKU."""
        word = self.sku.split("-", 1)[0]
        return word if word in ("VPN", "SIM") else "Internet"


def _vpn() -> list[Item]:
    required = {"Required_Products__c": json.dumps(["VPN-ACTIVATION-FEE"])}
    places = (("USA-SF", 33, "USA (San Francisco)"), ("UK-London", 54, "UK (London)"))
    items = []
    for region, pid, place in places:
        sku, fields = f"VPN-REMOTE-ACCESS-{region.upper()}", {"VPN_Region__c": region, **required}
        items.append(Item(sku, pid, 2500, f"VPN Router {place}", fields=fields))
    fee = Item("VPN-ACTIVATION-FEE", 37, 3000, "VPN Activation Fee", "Activation", "Onetime", {"Auto_Add__c": True})
    return [*items, fee]


def _sim() -> list[Item]:
    items = []
    required = {"Required_Products__c": json.dumps(["SIM-ACTIVATION-FEE"])}
    for place, (size, price) in enumerate(((5, 1100), (10, 1650), (25, 2600), (50, 4200))):
        for offset, word, kind, label, extra in (
            (0, "DATA-ONLY", "DataOnly", "Data only", 0),
            (10, "DATA-VOICE", "DataSmsVoice", "Data, SMS and voice", 900),
        ):
            fields = {"SIM_Data_Size__c": f"{size}GB", "SIM_Plan_Type__c": kind, **required}
            fields["Freebit_Plan_Code__c"] = f"PASI_{'D' if offset == 0 else 'V'}{size:02}G"
            sku, name = f"SIM-{word}-{size}GB", f"SIM {size}GB {label}"
            items.append(Item(sku, 100 + place + offset, price + extra, name, fields=fields))
            if offset:
                family = fields | {"SIM_Has_Family_Discount__c": True}
                items.append(Item(f"{sku}-FAMILY", 120 + place, price + 600, f"{name} (Family)", fields=family))
    fee = Item("SIM-ACTIVATION-FEE", 130, 1500, "SIM Activation Fee", "Activation", "Onetime")
    mail = Item("SIM-ADDON-VOICE-MAIL", 131, 300, "SIM Voice Mail", "Add-on")
    waiting = Item("SIM-ADDON-CALL-WAITING", 132, 300, "SIM Call Waiting", "Add-on")
    fee.fields.update({"Auto_Add__c": True, "Is_Default__c": True})
    return [*items, fee, mail, waiting]


def _internet() -> list[Item]:
    ways = ["INTERNET-INSTALL-SINGLE", "INTERNET-INSTALL-12M", "INTERNET-INSTALL-24M"]
    shared = {
        "Internet_Offering_Type__c": "Home 1G",
        "Eligibility_Condition__c": json.dumps({"Internet_Offering_Type__c": ["Home 1G"]}),
        "Dependent_Products__c": json.dumps(ways),
    }
    plans = []
    for tier, pid, price in (("Silver", 181, 4800), ("Gold", 182, 5800), ("Platinum", 183, 6500)):
        name, fields = f"Internet (Home 1G) [{tier.upper()}]", {"Internet_Plan_Tier__c": tier, **shared}
        plans.append(Item(f"INTERNET-{tier.upper()}-HOME-1G", pid, price, name, fields=fields))
    installs = [
        Item(ways[0], 242, 22800, "Installation, single payment", "Installation", "Onetime"),
        Item(ways[1], 243, 1900, "Installation, 12 payments", "Installation"),
        Item(ways[2], 244, 950, "Installation, 24 payments", "Installation"),
    ]
    for item in installs:
        item.fields["Mutually_Exclusive__c"] = json.dumps([sku for sku in ways if sku != item.sku])
    denwa = Item("INTERNET-ADDON-HIKARI-DENWA", 246, 450, "Hikari Denwa", "Add-on")
    denwa.fields["Required_Products__c"] = json.dumps(["INTERNET-ADDON-HIKARI-DENWA-INSTALL"])
    setup = Item("INTERNET-ADDON-HIKARI-DENWA-INSTALL", 247, 1000, "Hikari Denwa setup", "Installation", "Onetime")
    weekend = Item("INTERNET-INSTALL-WEEKEND", 245, 3000, "Weekend installation", "Installation", "Onetime")
    return [*plans, *installs, weekend, denwa, setup]


CATALOGUE = [*_vpn(), *_sim(), *_internet()]


def seed(store: Store, salesforce: Rows, whmcs: Installation, clock: Clock) -> None:
    """Fill an empty store; a seeded one is left alone. All of it is one transaction."""
    with store.transaction(), whmcs.silence():
        if store.get("world", "seeded"):
            return
        store.put("world", "seeded", {"at": clock.now().isoformat()})
        entries = _seed_catalogue(salesforce, whmcs)
        aiko = _person("Aiko", "Tanaka", AIKO_EMAIL, phone="09012345678")
        ben = _person("Ben", "Carter", BEN_EMAIL, phone="08023456789")
        _seed_customer(salesforce, whmcs, aiko, AIKO_NUMBER)
        client, account = _seed_customer(salesforce, whmcs, ben, BEN_NUMBER)
        service, order = _seed_service(whmcs, client)
        _seed_order(salesforce, account, entries, {"WHMCS_Order_ID__c": str(order["id"])}, service)
        _seed_strangers(salesforce, whmcs, client)


def pricebook_id(salesforce: Rows) -> str:
    """Return the id of the portal's price book."""
    return str(salesforce.query(PORTAL_PRICEBOOK_QUERY)[0]["Id"])


def account_id(salesforce: Rows, customer_number: str) -> str:
    """Return the Account id of a customer number."""
    query = f"SELECT Id FROM Account WHERE SF_Account_No__c = '{customer_number}'"
    return str(salesforce.query(query)[0]["Id"])


def _seed_catalogue(salesforce: Rows, whmcs: Installation) -> dict[str, str]:
    standard = salesforce.query(STANDARD_PRICEBOOK_QUERY)[0]["Id"]
    portal = salesforce.create("Pricebook2", {"Name": PRICEBOOK_NAME, "IsActive": True})
    entries = {}
    for order, item in enumerate(CATALOGUE, 1):
        product = salesforce.create("Product2", _product_fields(item, order))
        price = {"Product2Id": product, "UnitPrice": item.price, "IsActive": True}
        salesforce.create("PricebookEntry", price | {"Pricebook2Id": standard})
        entries[item.sku] = salesforce.create("PricebookEntry", price | {"Pricebook2Id": portal})
        _seed_whmcs_product(whmcs, item)
    return entries


def _product_fields(item: Item, order: int) -> dict[str, Any]:
    chosen = item.kind != "Activation"
    return {
        "Name": item.name, "ProductCode": item.sku, "StockKeepingUnit": item.sku, "IsActive": True,
        "Item_Class__c": item.kind, "Billing_Cycle__c": item.cycle, "Product_Category__c": item.category,
        "Portal_Catalog__c": chosen, "Portal_Accessible__c": True, "Display_Order__c": order * 10,
        "WH_Product_ID__c": item.pid, "WH_Product_Name__c": item.name, **item.fields,
    }  # fmt: skip


def _seed_whmcs_product(whmcs: Installation, item: Item) -> None:
    names = [REFERENCE_FIELD, "OpportunityId"]
    if item.category == "SIM":
        names += ["SIM Number", "Serial Number", "EID"]
    fields = {str(item.pid * 10 + place): name for place, name in enumerate(names)}
    paytype = "recurring" if item.cycle == "Monthly" else "onetime"
    group = {"gid": _GROUPS[item.category], "group": item.category}
    new_product(
        whmcs, item.pid, name=item.name, price=item.price * 100, paytype=paytype, customfields=fields, **group
    )  # fmt: skip


def _person(first: str, last: str, email: str, *, phone: str) -> Document:
    return {"firstname": first, "lastname": last, "email": email, "phonenumber": phone}


def _seed_customer(salesforce: Rows, whmcs: Installation, person: Document, number: str) -> tuple[Document, str]:
    address = {
        "address1": "1-1-1 Shibakoen", "address2": "Sandbox Heights 101", "city": "Minato-ku", "state": "Tokyo",
        "postcode": "105-0011", "country": "JP",
    }  # fmt: skip
    client = new_client(whmcs, new_user(whmcs, person, PASSWORD), person | address | {"customfields": {"198": number}})
    name = f"{person['firstname']} {person['lastname']}"
    account = salesforce.create("Account", {
        "Name": name, "SF_Account_No__c": number, "WH_Account__c": f"#{client['id']} - {name}",
        "Portal_Status__c": "Active", "Portal_Registration_Source__c": "New Signup",
        "Internet_Eligibility_Status__c": "Not Requested", "Id_Verification_Status__c": "Not Submitted",
        "Phone": person["phonenumber"], "BillingStreet": "芝公園1丁目1-1 サンドボックスハイツ101",
        "BillingCity": "港区", "BillingState": "東京都", "BillingPostalCode": "105-0011", "BillingCountry": "Japan",
    })  # fmt: skip
    salesforce.create("Contact", {
        "AccountId": account, "FirstName": person["firstname"], "LastName": person["lastname"],
        "Email": person["email"], "MobilePhone": person["phonenumber"],
    })  # fmt: skip
    return client, account


def _seed_strangers(salesforce: Rows, whmcs: Installation, bens: Document) -> None:
    """Add the people who have not come to the portal yet."""
    for first, last, email, number in (
        ("Chie", "Mori", CHIE_EMAIL, CHIE_NUMBER),
        ("Daichi", "Kato", DAICHI_EMAIL, DAICHI_NUMBER),
    ):
        person = _person(first, last, email, phone="07012345678")
        client, account = _seed_customer(salesforce, whmcs, person, number)
        salesforce.update("Account", account, {"Portal_Status__c": None, "Portal_Registration_Source__c": None})
        user = whmcs.row("user", client["owner_user_id"]) or {}
        whmcs.save("user", user | {"two_factor": email == DAICHI_EMAIL})
    emi = new_user(whmcs, _person("Emi", "Carter", EMI_EMAIL, phone=""), PASSWORD)
    add_member(whmcs, bens, emi, ["profile", "products", "invoices"])


def _seed_service(whmcs: Installation, client: Document) -> tuple[Document, Document]:
    """Give a client an active VPN service, a paid and an overdue invoice, and a stored card."""
    today = whmcs.today()
    start = _month_ago(today) - timedelta(days=10)
    product = whmcs.row("product", 33) or {}
    order = whmcs.add("order", {
        "ordernum": "4100000001", "userid": client["id"], "date": f"{start} 10:00:00", "amount": product["price"],
        "paymentmethod": "stripe", "invoiceid": 0, "status": "Active", "ipaddress": "127.0.0.1", "promocode": "",
    })  # fmt: skip
    service = new_service(
        whmcs, client["id"], product, orderid=order["id"], regdate=str(start), status="Active", nextduedate=str(start)
    )  # fmt: skip
    paid = _seed_invoice(whmcs, client, service, start)
    amount = balance_of(whmcs, paid).balance
    whmcs.save("order", order | {"invoiceid": paid["id"], "amount": amount})
    pay(whmcs, paid, Payment(amount, "stripe", "ch_seed_1", f"{start} 10:05:00"))
    _seed_invoice(whmcs, client, service, one_cycle_later(start, "Monthly"))
    store_card(whmcs, client["id"], "4242 4242 4242 4242", f"12{(today.year + 3) % 100:02}", description="Main card")
    return whmcs.row("service", service["id"]) or service, order


def _seed_invoice(whmcs: Installation, client: Document, service: Document, day: date) -> Document:
    text = f"VPN Router USA (San Francisco) {period(day, 'Monthly')}"
    line = {"type": "Hosting", "relid": service["id"], "description": text, "amount": service["recurringamount"]}
    made = f"{day} 10:00:00"
    times = {"date": str(day), "duedate": str(day), "created_at": made, "updated_at": made}
    return new_invoice(whmcs, client["id"], [line | {"taxed": 1}], **times)


def _seed_order(
    salesforce: Rows, account: str, entries: dict[str, str], ids: dict[str, str], service: Document
) -> None:
    order = salesforce.create("Order", {
        "AccountId": account, "EffectiveDate": service["regdate"], "Status": "Pending Review", "Order_Type__c": "VPN",
        "Pricebook2Id": pricebook_id(salesforce), "Activation_Type__c": "Immediate", **ids,
    })  # fmt: skip
    line = {"OrderId": order, "PricebookEntryId": entries["VPN-REMOTE-ACCESS-USA-SF"], "Quantity": 1, "UnitPrice": 2500}
    salesforce.create("OrderItem", line | {"WHMCS_Service_ID__c": str(service["id"])})
    salesforce.update("Order", order, {"Activation_Status__c": "Activated", "Status": "Processed"})


def _month_ago(day: date) -> date:
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, 28))
