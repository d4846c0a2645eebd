"""What test_gateway cannot check in any org: the fields written, and faults that only the sandbox has."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from portal_app.domain.catalog.plan import plans_of
from portal_app.domain.checkout.options import InternetOptions, SimOptions
from portal_app.domain.errors import ExternalUnavailable, InvalidInput
from portal_app.domain.money import Money
from portal_app.domain.orders.order import NewSalesforceOrder, OrderLine
from portal_app.domain.ports.billing import BillingOrder
from portal_app.domain.ports.crm import CrmCustomer
from portal_app.domain.profile.customer import Profile
from portal_app.domain.sim.sim import Person, PortIn
from portal_app.integrations.build import Vendors
from portal_app.integrations.salesforce.client import SalesforceClient
from sandbox.faults import FaultSettings
from tests.contract.seeded import AIKO_NUMBER
from tests.support.running.vendor_servers import RunningSandbox

pytestmark = pytest.mark.usefixtures("healthy_salesforce")
FORM = {
    "first_name": "花子", "last_name": "O'Hara\\", "phone": "090-1234-5678", "first_name_kana": "ハナコ",
    "last_name_kana": "オハラ", "postcode": "106-0044", "prefecture": "東京都", "city": "港区", "town": "東麻布",
    "street": "１-5", "building": "ビル101", "city_romanised": "Minato-ku", "town_romanised": "Higashiazabu",
    "building_romanised": "Biru 101",
}  # fmt: skip


def newcomer() -> Profile:
    return Profile.parse(f"{uuid4().hex}@example.jp", FORM)


def fresh_number() -> str:
    return f"C{uuid4().int % 10**8:08}"


async def new_customer(vendors: Vendors) -> CrmCustomer:
    return await vendors.crm.upsert_customer(
        newcomer(), user_id=uuid4(), customer_number=fresh_number(), whmcs_client_id=7
    )


async def new_order(vendors: Vendors, customer: CrmCustomer, *skus: str) -> NewSalesforceOrder:
    items = {item.sku: item for item in await vendors.catalog.items()}
    chosen = [items[sku] for sku in skus or ("VPN-REMOTE-ACCESS-USA-SF", "VPN-ACTIVATION-FEE")]
    lines = tuple(
        OrderLine(item.sku, item.name, item.cycle, item.price, item.pricebook_entry_id, item.whmcs_product_id)
        for item in chosen
    )
    placed = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    return NewSalesforceOrder(uuid4(), customer.account_id, "vpn", lines, placed, newcomer().address)


async def items_of(client: SalesforceClient, order_id: str) -> list:
    return await client.query(
        "SELECT Id, Quantity, UnitPrice, WHMCS_Service_ID__c, PricebookEntry.Product2.StockKeepingUnit "
        "FROM OrderItem WHERE OrderId = {order} ORDER BY OrderItemNumber",
        order=order_id,
    )


async def test_the_catalogue_holds_every_plan_with_its_price(vendors: Vendors) -> None:
    items = await vendors.catalog.items()
    plan = next(plan for plan in plans_of(items, "vpn") if plan.service.sku == "VPN-REMOTE-ACCESS-USA-SF")
    assert (plan.monthly, plan.one_time) == (Money(2500), Money(3000))
    assert plan.service.whmcs_product_id == 33 and ("Region", "USA-SF") in plan.service.details
    assert {item.category for item in items} == {"vpn", "sim", "internet"}
    assert [item.order for item in items] == sorted(item.order for item in items)
    gold = next(item for item in items if item.sku == "INTERNET-GOLD-HOME-1G")
    assert gold.conditions == ("Home 1G",)


@pytest.mark.parametrize(
    ("condition", "is_sold"),
    [
        ('{"Internet_Offering_Type__c": "Home 1G"}', True),
        ("{}", True),
        ('{"Internet_Offering_Type__c": []}', False),
        ('{"Id_Verification_Status__c": ["Verified"]}', False),
        ('{"Internet_Offering_Type__c": ["Home 1G"], "Weekday__c": ["Monday"]}', False),
        ("Home 1G", False),
    ],
)
async def test_a_plan_with_an_unsupported_condition_is_not_sold(
    vendors: Vendors, client: SalesforceClient, condition: str, is_sold: bool
) -> None:
    sku = "INTERNET-ADDON-HIKARI-DENWA"
    (product,) = await client.query("SELECT Id FROM Product2 WHERE StockKeepingUnit = {sku}", sku=sku)
    await client.update("Product2", str(product["Id"]), {"Eligibility_Condition__c": condition})
    sold = {item.sku for item in await vendors.catalog.items()}
    await client.update("Product2", str(product["Id"]), {"Eligibility_Condition__c": None})
    assert (sku in sold) is is_sold


async def test_a_customer_is_created_and_found_by_number(vendors: Vendors, client: SalesforceClient) -> None:
    number, user_id, profile = fresh_number(), uuid4(), newcomer()
    assert await vendors.crm.find_customer(number) is None
    made = await vendors.crm.upsert_customer(profile, user_id=user_id, customer_number=number, whmcs_client_id=7)
    assert await vendors.crm.find_customer(number) == made
    account = await client.read("Account", made.account_id, ["Name", "WH_Account__c", "BillingCity", "BillingStreet"])
    assert (account["Name"], account["WH_Account__c"]) == (profile.full_name, f"#7 - {profile.full_name}")
    assert (account["BillingCity"], account["BillingStreet"]) == ("港区", profile.address.japanese_street())
    contact = await client.read("Contact", made.contact_id, ["LastName", "FirstName_Kana__c", "Portal_User_Id__c"])
    assert (contact["LastName"], contact["Portal_User_Id__c"]) == ("O'Hara\\", str(user_id))


async def test_repeating_a_customer_changes_nothing_but_their_data(vendors: Vendors) -> None:
    number, user_id, profile = fresh_number(), uuid4(), newcomer()
    first = await vendors.crm.upsert_customer(profile, user_id=user_id, customer_number=number, whmcs_client_id=7)
    moved = replace(profile, first_name="Hana")
    assert first == await vendors.crm.upsert_customer(moved, user_id=user_id, customer_number=number, whmcs_client_id=7)


async def test_an_account_without_its_contact_is_reported(vendors: Vendors) -> None:
    found = await vendors.crm.find_customer(AIKO_NUMBER)
    assert found is not None and found.account_id


async def test_an_order_is_created_with_its_lines_and_waits_for_review(
    vendors: Vendors, client: SalesforceClient
) -> None:
    customer = await new_customer(vendors)
    new = await new_order(vendors, customer)
    order_id = await vendors.crm.upsert_order(new)
    order = await vendors.crm.order(order_id)
    assert (order.portal_order_id, order.account_id) == (str(new.order_id), customer.account_id)
    assert (order.status, order.activation_status, order.stage, order.category) == (
        "Pending Review", "Not Started", "in_review", "vpn",
    )  # fmt: skip
    lines = await items_of(client, order_id)
    assert [(int(line["Quantity"]), int(line["UnitPrice"])) for line in lines] == [(1, 2500), (1, 3000)]
    row = await client.read("Order", order_id, ["EffectiveDate", "BillingCity"])
    assert (row["EffectiveDate"], row["BillingCity"]) == ("2026-11-22", "港区")


async def test_an_order_handed_over_twice_exists_once(vendors: Vendors, client: SalesforceClient) -> None:
    new = await new_order(vendors, await new_customer(vendors))
    first = await vendors.crm.upsert_order(new)
    assert await vendors.crm.upsert_order(new) == first
    assert len(await items_of(client, first)) == 2


async def test_an_order_handed_over_by_many_at_once_exists_once(vendors: Vendors, client: SalesforceClient) -> None:
    new = await new_order(vendors, await new_customer(vendors))
    ids = await asyncio.gather(*(vendors.crm.upsert_order(new) for _ in range(5)))
    assert len(set(ids)) == 1 and len(await items_of(client, ids[0])) == 2


async def test_an_order_whose_answer_was_lost_is_found_at_once(
    vendors: Vendors, sandbox: RunningSandbox, client: SalesforceClient
) -> None:
    new = await new_order(vendors, await new_customer(vendors))
    sandbox.faults.set("salesforce", FaultSettings(lose_answers=1))
    order_id = await vendors.crm.upsert_order(new)
    assert len(await items_of(client, order_id)) == 2


async def test_a_customer_whose_answer_was_lost_is_repeated_without_harm(
    vendors: Vendors, sandbox: RunningSandbox
) -> None:
    sandbox.faults.set("salesforce", FaultSettings(lose_answers=1))
    assert (await new_customer(vendors)).contact_id


async def test_too_many_lines_are_refused_before_anything_is_sent(vendors: Vendors) -> None:
    new = await new_order(vendors, await new_customer(vendors))
    with pytest.raises(InvalidInput):
        await vendors.crm.upsert_order(replace(new, lines=new.lines * 13))


async def test_the_whmcs_ids_are_written_to_the_order_and_its_lines(vendors: Vendors, client: SalesforceClient) -> None:
    order_id = await vendors.crm.upsert_order(await new_order(vendors, await new_customer(vendors)))
    for _ in range(2):
        await vendors.crm.order_billed(order_id, billing=BillingOrder(41, (71, 72), 5))
    order = await vendors.crm.order(order_id)
    assert (order.whmcs_order_id, order.status) == ("41", "Pending Review")
    assert [line["WHMCS_Service_ID__c"] for line in await items_of(client, order_id)] == ["71", "72"]


async def test_a_failure_is_written_within_the_length_of_its_fields(vendors: Vendors, client: SalesforceClient) -> None:
    order_id = await vendors.crm.upsert_order(await new_order(vendors, await new_customer(vendors)))
    await vendors.crm.order_failed(order_id, code="c" * 100, message="あ" * 300)
    row = await client.read("Order", order_id, ["Activation_Error_Code__c", "Activation_Error_Message__c"])
    assert (len(row["Activation_Error_Code__c"]), len(row["Activation_Error_Message__c"])) == (80, 255)
    assert (await vendors.crm.order(order_id)).stage == "needs_attention"


async def test_a_vendor_that_is_down_is_unavailable_and_noticed_when_it_is_back(
    vendors: Vendors, sandbox: RunningSandbox
) -> None:
    sandbox.faults.set("salesforce", FaultSettings(down=True))
    with pytest.raises(ExternalUnavailable):
        await vendors.catalog.items()
    sandbox.faults.set("salesforce", FaultSettings())
    assert await vendors.catalog.items()


@pytest.mark.parametrize("special", ["expire_sessions", "lock_row"])
async def test_a_temporary_failure_is_retried_within_the_call(
    vendors: Vendors, sandbox: RunningSandbox, special: str
) -> None:
    sandbox.faults.set("salesforce", FaultSettings(special={special: 1}))
    assert await new_customer(vendors)
    assert sandbox.faults.settings_of("salesforce").special == {special: 0}


async def test_an_order_that_met_a_locked_row_was_not_written(
    vendors: Vendors, sandbox: RunningSandbox, client: SalesforceClient
) -> None:
    new = await new_order(vendors, await new_customer(vendors))
    sandbox.faults.set("salesforce", FaultSettings(special={"lock_row": 1}))
    with pytest.raises(ExternalUnavailable):
        await vendors.crm.upsert_order(new)
    assert len(await items_of(client, await vendors.crm.upsert_order(new))) == 2


async def test_the_daily_limit_has_a_long_retry_after(vendors: Vendors, sandbox: RunningSandbox) -> None:
    sandbox.faults.set("salesforce", FaultSettings(special={"daily_limit": -1}))
    with pytest.raises(ExternalUnavailable) as caught:
        await vendors.catalog.items()
    assert caught.value.retry_after == 3600


async def test_an_order_carries_what_was_chosen_beyond_the_plan(vendors: Vendors, client: SalesforceClient) -> None:
    holder = Person("田中", "愛子", "タナカ", "アイコ", "F", date(1990, 2, 28))
    options = SimOptions(
        sim_type="esim",
        has_voice=True,
        eid="89049032000001000000012345678976",
        activate_on=date(2026, 12, 1),
        holder=holder,
        number="09012345678",
        port_in=PortIn(holder, "1234567890", date(2026, 12, 5)),
        call_waiting=True,
    )
    order = replace(await new_order(vendors, await new_customer(vendors)), category="sim", options=options)
    fields = ["SIM_Type__c", "EID__c", "Activation_Type__c", "Activation_Scheduled_At__c", "SIM_Voice_Mail__c"]
    fields += ["SIM_Call_Waiting__c", "MNP_Application__c", "MNP_Reservation_Number__c", "MNP_Expiry_Date__c"]
    fields += ["MNP_Phone_Number__c", "Porting_LastName__c", "Porting_FirstName_Katakana__c", "Porting_DateOfBirth__c"]
    kept = await client.read("Order", await vendors.crm.upsert_order(order), fields)
    # The first of December in Japan is still November in UTC.
    assert kept["Activation_Scheduled_At__c"].startswith("2026-11-30T15:00:00")
    assert [kept[name] for name in fields if name != "Activation_Scheduled_At__c"] == [
        *("eSIM", options.eid, "Scheduled", False, True, True, "1234567890", "2026-12-05"),
        *("09012345678", "田中", "アイコ", "1990-02-28"),
    ]


async def test_an_internet_order_carries_installation_and_access(vendors: Vendors, client: SalesforceClient) -> None:
    options = InternetOptions("Home 1G", "Gold", "ipoe_home_gateway", "24m", True, True, "F1234567890")
    order = replace(await new_order(vendors, await new_customer(vendors)), category="internet", options=options)
    fields = ["Internet_Plan_Tier__c", "Access_Mode__c", "Installation_Type__c", "Weekend_Install__c"]
    kept = await client.read("Order", await vendors.crm.upsert_order(order), [*fields, "Switch_Number__c"])
    assert [kept[name] for name in fields] == ["Gold", "IPoE home gateway", "24 payments", True]
    assert kept["Switch_Number__c"] == "F1234567890"


async def test_open_cases_exclude_internal_cases_and_other_customers(
    vendors: Vendors, client: SalesforceClient
) -> None:
    made, other = await new_customer(vendors), await new_customer(vendors)
    assert await vendors.crm.open_cases(made.account_id) == 0
    for account, status in ((made, "New"), (made, "Working"), (made, "Closed"), (other, "New")):
        case = {"AccountId": account.account_id, "Subject": "Help", "Status": status, "Origin": "Portal Website"}
        await client.upsert("Case", "Portal_Reference__c", reference := str(uuid4()), case)
        query = "SELECT Id FROM Case WHERE Portal_Reference__c = {reference}"
        (row,) = await client.query(query, reference=reference)
        await client.update("Case", str(row["Id"]), {"Portal_Reference__c": None})
    work = {"AccountId": made.account_id, "Subject": "An order stands still", "Status": "New"}
    work["Portal_Kind__c"] = "Order Problem"
    await client.upsert("Case", "Portal_Reference__c", str(uuid4()), work)
    assert await vendors.crm.open_cases(made.account_id) == 2
