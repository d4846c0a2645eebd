"""Address checks in Salesforce: asked for once whatever is lost, read as agents answer, reset by a new address."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from portal_app.domain.errors import OutcomeUnknown
from portal_app.domain.internet.eligibility import CheckRequest
from portal_app.domain.profile.address import Address
from portal_app.domain.profile.customer import Customer
from portal_app.domain.profile.profile import ProfileChange
from portal_app.integrations.build import Vendors
from portal_app.integrations.salesforce.client import SalesforceClient
from sandbox.faults import FaultSettings
from tests.support.running.vendor_servers import RunningSandbox
from tests.support.values.people import ADDRESS

pytestmark = pytest.mark.usefixtures("healthy_salesforce")
WHERE = Address.parse(ADDRESS)
_CHECK = "Internet_Eligibility_Status__c"


def new_request() -> CheckRequest:
    return CheckRequest(uuid4(), WHERE, datetime.now(UTC))


async def opportunities_of(client: SalesforceClient, customer: Customer) -> list:
    query = "SELECT Id, StageName, WHMCS_Service_ID__c, Portal_Source__c FROM Opportunity WHERE AccountId = {account}"
    return await client.query(query, account=customer.sf_account_id)


async def cases_of(client: SalesforceClient, customer: Customer) -> list:
    query = "SELECT Id, Status, Portal_Reference__c, Description FROM Case WHERE AccountId = {account}"
    return await client.query(query, account=customer.sf_account_id)


async def test_a_request_makes_one_case_and_one_opportunity_and_the_account_waits(
    vendors: Vendors, customer: Customer, client: SalesforceClient
) -> None:
    before = await vendors.internet.check_of(customer.sf_account_id)
    assert (before.status, before.offers, before.requested_at) == ("not_requested", (), None)
    request = new_request()
    for _ in range(2):
        await vendors.internet.request(customer, request)
    (case,) = await cases_of(client, customer)
    (chance,) = await opportunities_of(client, customer)
    assert (case["Portal_Reference__c"], case["Status"]) == (str(request.id), "New")
    assert "〒106-0044\n東京都港区東麻布1-5-3\n光ビル 101" in case["Description"]
    assert (chance["StageName"], chance["Portal_Source__c"]) == ("Introduction", f"Address check {request.id}")
    after = await vendors.internet.check_of(customer.sf_account_id)
    assert after.status == "pending" and after.requested_at is not None and after.checked_at is None
    assert abs(after.requested_at - request.requested_at) < timedelta(seconds=1)


async def test_a_request_whose_answer_was_lost_is_found_again(
    vendors: Vendors, customer: Customer, client: SalesforceClient, sandbox: RunningSandbox
) -> None:
    request = new_request()
    sandbox.faults.set("salesforce", FaultSettings(lose_answers=1, operations=("composite",)))
    with pytest.raises(OutcomeUnknown):
        await vendors.internet.request(customer, request)
    # The agent answered first: the answer must not be overwritten.
    await client.update("Account", customer.sf_account_id, {_CHECK: "Eligible", "Internet_Eligibility__c": "Home 1G"})
    await vendors.internet.request(customer, request)
    assert len(await cases_of(client, customer)) == len(await opportunities_of(client, customer)) == 1
    assert (await vendors.internet.check_of(customer.sf_account_id)).status == "eligible"


async def test_answers_of_agents_are_read_and_a_new_address_resets_them(
    vendors: Vendors, customer: Customer, client: SalesforceClient
) -> None:
    await vendors.internet.request(customer, new_request())
    answer = {_CHECK: "Eligible", "Internet_Eligibility__c": "Home 1G;Apartment 100M"}
    answer["Internet_Eligibility_Note__c"] = "Fibre is in the building."
    await client.update("Account", customer.sf_account_id, answer)
    (found,) = await vendors.internet.checks_of([customer.sf_account_id])
    assert (found.status, found.offers) == ("eligible", ("Home 1G", "Apartment 100M"))
    assert found.note == "Fibre is in the building." and found.checked_at is not None
    (case,) = await cases_of(client, customer)
    assert case["Status"] == "Closed"
    moved = ProfileChange(address=replace(WHERE, street="2-1"))
    await vendors.crm.change_customer(customer, moved)
    reset = await vendors.internet.check_of(customer.sf_account_id)
    assert (reset.status, reset.offers, reset.note, reset.checked_at) == ("not_requested", (), "", None)
    # The next request reuses the opportunity and opens its own case.
    await vendors.internet.request(customer, new_request())
    assert len(await opportunities_of(client, customer)) == 1
    assert len(await cases_of(client, customer)) == 2


async def test_a_line_takes_the_opportunity_of_its_account_once(
    vendors: Vendors, customer: Customer, client: SalesforceClient
) -> None:
    await vendors.internet.request(customer, new_request())
    (chance,) = await opportunities_of(client, customer)
    for _ in range(2):
        linked = await vendors.internet.link_line(customer.sf_account_id, service_id=4711, title="Home 1G")
        assert linked == chance["Id"]
    another = await vendors.internet.link_line(customer.sf_account_id, service_id=4712, title="Home 1G")
    found = {row["Id"]: row for row in await opportunities_of(client, customer)}
    assert len(found) == 2 and found[another]["WHMCS_Service_ID__c"] == "4712"
    assert {row["StageName"] for row in found.values()} == {"Active"}


async def test_an_opportunity_whose_line_was_taken_back_is_void_and_tied_to_nothing(
    vendors: Vendors, customer: Customer, client: SalesforceClient
) -> None:
    account = customer.sf_account_id
    first = await vendors.internet.link_line(account, service_id=4713, title="Home 1G")
    assert await vendors.internet.opportunity_of(account, 4713) == first
    for _ in range(2):
        await vendors.internet.void(first)
    assert await vendors.internet.opportunity_of(account, 4713) is None
    (row,) = await opportunities_of(client, customer)
    assert row["StageName"] == "Void"
