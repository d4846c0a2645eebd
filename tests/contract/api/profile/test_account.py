"""The account over HTTP: what a customer reads and changes, and what of it reaches the vendors."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from redis.asyncio.client import PubSub

from portal_app.domain.errors import ExternalRejected
from portal_app.domain.profile.customer import Customer
from portal_app.infra.redis.live import Change
from portal_app.models.user import User
from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import let_the_proof_age
from tests.support.clients.portal_driver import PortalDriver
from tests.support.clients.visitor import Visitor, mailed
from tests.support.running.world import BEN, PASSWORD, world
from tests.support.values.people import ADDRESS
from tests.support.waiting import LONGEST_SECONDS

MOVED = {
    "postcode": "530-0001",
    "prefecture": "大阪府",
    "city": "大阪市北区",
    "town": "梅田",
    "street": "2丁目4番9号",
    "building": "梅田ビル 801",
    "city_romanised": "Kita-ku, Osaka-shi",
    "town_romanised": "Umeda",
    "building_romanised": "Umeda Bldg. 801",
}
ELIGIBILITY = ("Internet_Eligibility_Status__c", "Internet_Eligibility__c", "Internet_Eligibility_Note__c")


@dataclass
class Hana:
    """A customer of this test's own, signed in, and the worker that carries out what she asks for."""

    browser: Visitor
    worker: Portal
    customer: Customer
    email: str

    async def me(self) -> dict[str, Any]:
        answer = await self.browser.get("/api/me")
        assert answer.status_code == 200
        return answer.json()

    async def patch(self, path: str = "", **body: Any) -> dict[str, Any]:
        answer = await self.browser.call("PATCH", f"/api/me{path}", body)
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def carry_out(self) -> None:
        """Do once what the workflow does."""
        changes, user_id = self.worker.profile.profile_changes, self.customer.user_id
        await changes.send_to_whmcs(user_id)
        await changes.send_to_salesforce(user_id)
        assert await changes.finish_if_done(user_id)

    async def salesforce(self, kind: str, *fields: str) -> dict[str, Any]:
        record = self.customer.sf_account_id if kind == "Account" else self.customer.sf_contact_id
        found = await self.worker.vendors.crm._client.read(kind, record, fields)
        return {name: found[name] for name in fields}


@pytest.fixture
async def hana(portal: Portal, worker: Portal) -> AsyncIterator[Hana]:
    driver = PortalDriver(portal, worker, world().office, world().postgres.url())
    await driver.all_well()
    buyer = await driver.buyer(card=False)
    async with worker.database.unit_of_work() as session:
        user = await session.get(User, buyer.customer.user_id)
        user.password_hash = await worker.identity.secrets.passwords.hash(PASSWORD)
    somebody = Visitor(portal.settings)
    yield Hana(await somebody.sign_in(buyer.email), worker, buyer.customer, buyer.email)
    await somebody.http.aclose()
    await driver.all_well()
    await driver.close()


async def test_a_customer_reads_their_own_data_as_whmcs_has_them(hana: Hana) -> None:
    account = await hana.me()
    assert (account["name"], account["email"], account["language"]) == ("太郎 田中", hana.email, "en")
    profile = account["profile"]
    assert (profile["first_name"], profile["phone"], profile["marketing"]) == ("太郎", "09012345678", False)
    assert profile["billing_address"]["line1"] == "1-5-3 Higashi-Azabu"
    assert profile["address"] is None and not profile["is_on_its_way"]


async def test_a_changed_name_goes_to_whmcs_and_then_to_salesforce(hana: Hana) -> None:
    shown = await hana.patch(first_name="花子", last_name_kana="たなか", marketing=True)
    assert shown["profile"]["first_name"] == "花子" and shown["profile"]["note"] == "Your change is on its way."
    await hana.worker.profile.profile_changes.send_to_whmcs(hana.customer.user_id)
    person = await hana.worker.vendors.people.person(hana.customer.whmcs_client_id)
    assert (person.first_name, person.last_name, person.marketing) == ("花子", "田中", True)
    assert (await hana.salesforce("Account", "Name"))["Name"] == "太郎 田中"
    assert (await hana.me())["profile"]["is_on_its_way"]
    await hana.carry_out()
    account = await hana.salesforce("Account", "Name", "WH_Account__c")
    assert account == {"Name": "花子 田中", "WH_Account__c": f"#{hana.customer.whmcs_client_id} - 花子 田中"}
    contact = await hana.salesforce("Contact", "FirstName", "LastName", "LastName_Kana__c")
    assert contact == {"FirstName": "花子", "LastName": "田中", "LastName_Kana__c": "タナカ"}
    account = await hana.me()
    assert account["name"] == "花子 田中" and not account["profile"]["is_on_its_way"]


async def test_an_address_goes_romanised_to_whmcs_japanese_to_salesforce_and_resets_eligibility(hana: Hana) -> None:
    asked = {"Internet_Eligibility_Status__c": "Eligible", "Internet_Eligibility__c": "Home 1G"}
    await hana.worker.vendors.crm._client.update("Account", hana.customer.sf_account_id, asked)
    shown = await hana.patch("/address", **MOVED)
    assert shown["profile"]["address"] == {**MOVED, "street_romanised": ""}
    await hana.carry_out()
    person = await hana.worker.vendors.people.person(hana.customer.whmcs_client_id)
    bill = person.billing_address
    assert (bill.line1, bill.line2, bill.city) == ("2-4-9 Umeda", "Umeda Bldg. 801", "Kita-ku, Osaka-shi")
    assert (bill.state, bill.postcode) == ("Osaka", "530-0001")
    account = await hana.salesforce("Account", "BillingStreet", "BillingCity", "BillingState", *ELIGIBILITY)
    assert account["BillingStreet"] == "梅田2丁目4番9号 梅田ビル 801"
    assert (account["BillingCity"], account["BillingState"]) == ("大阪市北区", "大阪府")
    assert [account[name] for name in ELIGIBILITY] == ["Not Requested", None, None]
    assert (await mailed(hana.worker, hana.email))["occasion"] == "address_changed"
    assert (await hana.me())["profile"]["address"] == {**MOVED, "street_romanised": ""}


async def test_an_address_that_staff_changed_at_whmcs_shows_no_stale_japanese_one(hana: Hana) -> None:
    await hana.patch("/address", **MOVED)
    await hana.carry_out()
    fields = {"clientid": hana.customer.whmcs_client_id, "address1": "9-9 Elsewhere"}
    await hana.worker.vendors.people._client.call("UpdateClient", fields, safe=True)
    await forget_when_read(hana)
    profile = (await hana.me())["profile"]
    assert profile["billing_address"]["line1"] == "9-9 Elsewhere" and profile["address"] is None


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("", {"phone": "12345"}, {"phone"}),
        ("", {"first_name": "", "last_name": "<b>"}, {"first_name", "last_name"}),
        ("", {"last_name_kana": "Tanaka"}, {"last_name_kana"}),
        ("", {"language": "fr"}, {"language"}),
        ("", {"email": "x@example.jp"}, {"email"}),
        ("", {"marketing": "perhaps"}, {"marketing"}),
        ("", {"first_name": "x" * 2000}, {"first_name"}),
        ("/address", ADDRESS | {"postcode": "12"}, {"postcode"}),
        ("/address", ADDRESS | {"prefecture": "Tokyo", "town_romanised": "東"}, {"prefecture", "town_romanised"}),
        (
            "/address",
            {"postcode": "1060044"},
            {"prefecture", "city", "town", "street", "city_romanised", "town_romanised"},
        ),
    ],
)
async def test_wrong_entries_are_named_and_change_nothing(
    hana: Hana, path: str, body: dict[str, Any], fields: set[str]
) -> None:
    before = await hana.me()
    answer = await hana.browser.call("PATCH", f"/api/me{path}", body)
    assert (answer.status_code, set(answer.json()["fields"])) == (422, fields)
    assert await hana.me() == before


async def test_a_new_phone_number_needs_a_step_up_and_is_announced(hana: Hana, portal: Portal) -> None:
    await let_the_proof_age(portal, hana.browser)
    answer = await hana.browser.call("PATCH", "/api/me", {"phone": "080-9876-5432"})
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_needed")
    assert not (await hana.me())["profile"]["is_on_its_way"]
    same = await hana.browser.call("PATCH", "/api/me", {"phone": "090-1234-5678", "first_name": "花"})
    assert same.status_code == 202
    await hana.browser.sign_in(hana.email)
    await hana.patch(phone="+81 80-9876-5432")
    await hana.carry_out()
    assert (await hana.salesforce("Contact", "MobilePhone"))["MobilePhone"] == "08098765432"
    assert (await mailed(hana.worker, hana.email))["occasion"] == "phone_changed"


async def test_a_proven_new_mailbox_signs_in_and_the_old_one_gets_a_mail(hana: Hana) -> None:
    new = f"{uuid4().hex}@example.jp"
    answer = await hana.browser.call("POST", "/api/me/email", {"email": new})
    assert (answer.status_code, answer.json()) == (202, {"waiting_for": new})
    code = (await mailed(hana.worker, new))["code"]
    wrong = await hana.browser.call("POST", "/api/me/email/verify", {"code": f"{(int(code) + 1) % 10**6:06}"})
    assert wrong.json()["fields"]["code"].endswith("Tries left: 4.")
    assert (await hana.browser.call("POST", "/api/me/email/verify", {"code": code})).status_code == 202
    assert (await hana.me())["email"] == hana.email
    await hana.browser.call("POST", "/api/auth/forgot", {"email": hana.email})
    link = (await mailed(hana.worker, hana.email))["token"]
    await hana.carry_out()
    assert (await hana.me())["email"] == new
    # Links in the old mailbox do not work any more.
    late = {"token": link, "password": "seven green apples"}
    assert (await hana.browser.call("POST", "/api/auth/set-password", late)).status_code == 401
    person = await hana.worker.vendors.people.person(hana.customer.whmcs_client_id)
    assert person.email == new and (await hana.salesforce("Contact", "Email"))["Email"] == new
    assert await mailed(hana.worker, hana.email) == {
        "occasion": "email_changed",
        "new_email": new,
        "customer_number": hana.customer.customer_number,
    }
    await hana.browser.sign_in(new)
    again = await hana.browser.call("POST", "/api/me/email/verify", {"code": code})
    assert again.status_code == 404


async def test_a_new_mailbox_needs_a_step_up_and_a_known_one_gets_the_same_answer(hana: Hana, portal: Portal) -> None:
    taken = await hana.browser.call("POST", "/api/me/email", {"email": BEN})
    assert (taken.status_code, taken.json()) == (202, {"waiting_for": BEN})
    assert (await mailed(hana.worker, BEN))["occasion"] == "already_registered"
    guesses = [await hana.browser.call("POST", "/api/me/email/verify", {"code": "000000"}) for _ in range(6)]
    assert guesses[-1].json()["fields"]["code"].startswith("No tries are left")
    await let_the_proof_age(portal, hana.browser)
    answer = await hana.browser.call("POST", "/api/me/email", {"email": f"{uuid4().hex}@example.jp"})
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_needed")


async def test_a_change_refused_by_whmcs_changes_nothing_and_is_announced(hana: Hana, worker: Portal) -> None:
    taken = f"{uuid4().hex}@example.jp"
    fields = {"firstname": "A", "lastname": "B", "email": taken, "address1": "1", "city": "C", "state": "Tokyo"}
    fields |= {"postcode": "106-0044", "country": "JP", "phonenumber": "0312345678", "password2": uuid4().hex}
    await worker.vendors.people._client.call("AddClient", fields, safe=False)
    await hana.browser.call("POST", "/api/me/email", {"email": taken})
    await hana.browser.call("POST", "/api/me/email/verify", {"code": (await mailed(worker, taken))["code"]})
    with pytest.raises(ExternalRejected):
        await worker.profile.profile_changes.send_to_whmcs(hana.customer.user_id)
    await worker.profile.profile_changes.record_whmcs_refusal(hana.customer.user_id, "external_rejected")
    account = await hana.me()
    assert account["email"] == hana.email and account["profile"]["note"].startswith("Our billing system did not accept")
    assert (await mailed(worker, hana.email))["occasion"] == "profile_not_saved"
    await hana.patch(first_name="花")
    await hana.carry_out()
    assert (await hana.me())["profile"]["note"] == ""


async def test_an_edit_of_staff_at_whmcs_is_shown_at_once_and_pushed_once(hana: Hana, portal: Portal) -> None:
    client_id, read_again = hana.customer.whmcs_client_id, hana.worker.profile.profile_changes.refresh_from_whmcs
    assert (await hana.me())["profile"]["phone"] == "09012345678"
    edit = {"clientid": client_id, "firstname": "Hanako", "phonenumber": "08011112222"}
    await hana.worker.vendors.people._client.call("UpdateClient", edit, safe=True)
    # The last read of WHMCS is still fresh: no request would read again before it is stale.
    assert (await hana.me())["profile"]["first_name"] == "太郎"
    async with portal.redis.pubsub() as pages:
        await pages.psubscribe("*")
        await read_again(client_id)
        await read_again(client_id)
        await portal.live.publish(Change(hana.customer.user_id, "end"))
        assert await topics_of(pages, hana.customer.user_id) == ["account"]
    account = await hana.me()
    assert (account["name"], account["profile"]["phone"]) == ("Hanako 田中", "08011112222")
    await read_again(2**31 - 1)


async def test_a_name_changed_by_staff_is_copied_on_read_and_never_overwrites_our_own_change(
    hana: Hana,
) -> None:
    edit = {"clientid": hana.customer.whmcs_client_id, "firstname": "Hanako"}
    await hana.worker.vendors.people._client.call("UpdateClient", edit, safe=True)
    await forget_when_read(hana)
    await hana.me()
    assert (await hana.me())["name"] == "Hanako 田中"
    await hana.patch(first_name="花子")
    await hana.worker.profile.profile_changes.send_to_whmcs(hana.customer.user_id)
    assert (await hana.me())["name"] == "花子 田中"


async def forget_when_read(hana: Hana) -> None:
    """Make the next read call WHMCS."""
    async with hana.worker.database.unit_of_work() as session:
        await (await session.connection()).execute(sa.text("UPDATE profiles SET read_at = NULL"))


async def topics_of(pages: PubSub, user_id: UUID) -> list[str]:
    """Return the topics pushed to open pages of a user, until the end."""
    topics: list[str] = []
    async with asyncio.timeout(LONGEST_SECONDS):
        while "end" not in topics:
            message = await pages.get_message(ignore_subscribe_messages=True, timeout=1)
            body = json.loads(message["data"]) if message and message["data"].startswith(b"{") else {}
            topics += [body["topic"]] if body.get("user") == str(user_id) else []
    return topics[:-1]


async def test_the_language_of_mails_changes_at_once(hana: Hana, worker: Portal) -> None:
    assert (await hana.patch(language="ja"))["language"] == "ja"
    async with worker.database.unit_of_work() as session:
        assert (await session.get(User, hana.customer.user_id)).language == "ja"
