"""Existing people in Salesforce: found by address, adopted with their account, never taken from another user."""

from dataclasses import replace
from uuid import uuid4

import pytest

from portal_app.domain.errors import Conflict
from portal_app.domain.money import Money
from portal_app.domain.ports.clients import BillingClient
from portal_app.domain.ports.whmcs_accounts import CrmPerson, MigratingCustomer
from portal_app.domain.profile.profile import BillingAddress
from portal_app.integrations.build import Vendors
from portal_app.integrations.salesforce.client import Part, SalesforceClient


@pytest.fixture
def customer() -> MigratingCustomer:
    number, email = f"C3{uuid4().int % 10**7:07}", f"{uuid4().hex}@example.jp"
    client = BillingClient(4711, email, "Chiyo", "Ito", "0312345678", "Active", number, Money(0))
    return MigratingCustomer(
        uuid4(), email, number, client, BillingAddress("1-1 Shiba", "", "Minato-ku", "Tokyo", "105-0011")
    )


def wire(vendors: Vendors) -> SalesforceClient:
    """Return the plain client, to write as agents do and to read."""
    return vendors.existing_accounts._client  # type: ignore[attr-defined]


async def known_before(vendors: Vendors, customer: MigratingCustomer, *, client: str = "", **contact: str) -> str:
    """Make an account with one contact, as agents did before the portal; return the contact's id."""
    account = {"Name": "Ito", "SF_Account_No__c": customer.customer_number, "WH_Account__c": client or None}
    person = {"LastName": "Ito", "Email": customer.email.upper(), "AccountId": "@{account.id}", **contact}
    parts = [
        Part("account", "POST", "sobjects/Account", account),
        Part("contact", "POST", "sobjects/Contact", person),
    ]
    return str((await wire(vendors).composite("known before", parts, safe=False))["contact"]["id"])


async def test_a_person_is_found_by_address_in_any_case(vendors: Vendors, customer: MigratingCustomer) -> None:
    assert await vendors.existing_accounts.find_person(customer.email) is None
    await known_before(vendors, customer)
    found = await vendors.existing_accounts.find_person(customer.email)
    assert found == CrmPerson(found.account_id, customer.customer_number, is_billed=False)


async def test_an_address_in_two_accounts_finds_nobody(vendors: Vendors, customer: MigratingCustomer) -> None:
    await known_before(vendors, customer)
    await known_before(vendors, replace(customer, customer_number=f"C4{uuid4().int % 10**7:07}"))
    assert await vendors.existing_accounts.find_person(customer.email) is None


async def test_adopting_ties_account_and_contact_and_may_be_repeated(
    vendors: Vendors, customer: MigratingCustomer
) -> None:
    contact = await known_before(vendors, customer)
    made = await vendors.existing_accounts.adopt(customer)
    assert await vendors.existing_accounts.adopt(customer) == made
    assert made.contact_id == contact
    fields = ("Name", "WH_Account__c", "Portal_Status__c", "Portal_Registration_Source__c")
    account = await wire(vendors).read("Account", made.account_id, fields)
    assert [account[name] for name in fields] == ["Ito", "#4711 - Chiyo Ito", "Active", "Migrated"]


async def test_a_customer_of_whmcs_alone_gets_an_account_with_the_address(
    vendors: Vendors, customer: MigratingCustomer
) -> None:
    made = await vendors.existing_accounts.adopt(customer)
    assert await vendors.existing_accounts.adopt(customer) == made
    account = await wire(vendors).read("Account", made.account_id, ("Name", "BillingCity", "SF_Account_No__c"))
    assert (account["Name"], account["BillingCity"]) == ("Chiyo Ito", "Minato-ku")
    assert account["SF_Account_No__c"] == customer.customer_number


async def test_texts_that_salesforce_cannot_keep_are_cut_and_the_account_is_adopted(
    vendors: Vendors, customer: MigratingCustomer
) -> None:
    client = replace(customer.client, first_name="C" * 45, last_name="I" * 85, phone="0" * 45)
    address = BillingAddress("S" * 200, "B" * 200, "M" * 51, "T" * 90, "1" * 25)
    made = await vendors.existing_accounts.adopt(replace(customer, client=client, address=address))
    fields = ("BillingCity", "BillingStreet", "BillingState", "BillingPostalCode", "Phone")
    account = await wire(vendors).read("Account", made.account_id, fields)
    assert [len(account[name]) for name in fields] == [40, 255, 80, 20, 40]
    contact = await wire(vendors).read("Contact", made.contact_id, ("FirstName", "LastName"))
    assert [len(contact[name]) for name in ("FirstName", "LastName")] == [40, 80]


async def test_an_account_of_another_client_or_user_is_not_taken(vendors: Vendors, customer: MigratingCustomer) -> None:
    await known_before(vendors, customer, client="#4712 - Somebody Else")
    with pytest.raises(Conflict):
        await vendors.existing_accounts.adopt(customer)
    other = replace(customer, customer_number=f"C5{uuid4().int % 10**7:07}")
    await known_before(vendors, other, Portal_User_Id__c=str(uuid4()))
    with pytest.raises(Conflict):
        await vendors.existing_accounts.adopt(other)


async def test_an_unlinked_contact_is_adopted_and_another_users_is_not(
    vendors: Vendors, customer: MigratingCustomer
) -> None:
    contact = await known_before(vendors, customer)
    for user_id in (customer.user_id, uuid4()):
        await vendors.existing_accounts.claim_contact(customer.customer_number, customer.email, user_id)
    row = await wire(vendors).read("Contact", contact, ("Portal_User_Id__c",))
    assert row["Portal_User_Id__c"] == str(customer.user_id)
