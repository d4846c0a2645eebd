"""Migration of an existing customer: every case gets its own next step, and answers do not reveal accounts."""

from uuid import uuid4

import httpx

from portal_app.integrations.salesforce.client import Part
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import DETAILS, NEW_PASSWORD, flash_of, old_password, prove, set_password
from tests.support.clients.visitor import Visitor, mailed, new_account
from tests.support.clients.whmcs_clients import OLD_PASSWORD, new_client, whmcs
from tests.support.running.world import BEN

# People of the sandbox's world: one with a second factor at WHMCS, one who may only look at Ben's client.
DAICHI_EMAIL, EMI_EMAIL, BILLING_PASSWORD = "daichi@example.jp", "emi@example.jp", "walk-the-portal-1"


async def moved(visitor: Visitor, worker: Portal, email: str) -> None:
    """Complete a migration."""
    assert (await prove(visitor, worker, email)).headers["location"] == "/auth/billing-password"
    assert (await old_password(visitor)).headers["location"] == "/auth/set-password"
    assert (await set_password(visitor)).headers["location"] == "/dashboard"


async def message_of(portal: Portal, answer: httpx.Response, page: str) -> str:
    """Return the general message of a refused form."""
    return (await flash_of(portal, answer, page))["form"]


async def test_a_customer_with_mailbox_and_password_gets_an_account(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    number = f"C2{uuid4().int % 10**7:07}"
    email, client_id = await new_client(number=number)
    await moved(visitor, worker, email)
    assert (await visitor.get("/api/me")).json()["name"] == "Chiyo Ito"
    assert not visitor.cookie("signup")
    async with portal.database.identity() as session:
        user = await User.by_email(session, portal.identity.secrets.ring.index(email, EMAIL_PLACE))
    assert (user.moved_client_id, user.customer_number, user.status) == (client_id, number, "setting_up")
    assert await portal.queue.status(f"move-in-{user.id}") == "ENQUEUED"
    await Visitor(visitor.settings).sign_in(email, NEW_PASSWORD)


async def test_the_old_password_is_refused_as_the_new_one(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    email, _ = await new_client()
    await prove(visitor, worker, email)
    await old_password(visitor)
    flash = await flash_of(portal, await set_password(visitor, OLD_PASSWORD), "/auth/set-password")
    assert "different from" in flash["password"]
    assert (await set_password(visitor)).headers["location"] == "/dashboard"


async def test_wrong_password_and_unknown_address_get_the_same_answer_and_are_counted(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    email, _ = await new_client()
    await prove(visitor, worker, email)
    said = [(await flash_of(portal, await old_password(visitor, "wrong"), "/auth/billing-password")) for _ in range(6)]
    assert [flash["password"][-2:] for flash in said[:4]] == ["4.", "3.", "2.", "1."]
    assert all("No tries are left" in flash["password"] for flash in said[4:])
    assert "No tries" in (await flash_of(portal, await old_password(visitor), "/auth/billing-password"))["password"]
    stranger = Visitor(visitor.settings)
    await prove(stranger, worker, f"{uuid4().hex}@example.jp")
    assert (await flash_of(portal, await old_password(stranger), "/auth/billing-password"))["password"] == said[0][
        "password"
    ]


async def test_an_unknown_proven_mailbox_is_sent_to_sign_up(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    answer = await prove(visitor, worker, f"{uuid4().hex}@example.jp")
    assert "create an account" in await message_of(portal, answer, "/auth/migrate")


async def test_a_second_factor_at_whmcs_has_to_be_switched_off_first(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    await prove(visitor, worker, DAICHI_EMAIL)
    answer = await old_password(visitor, BILLING_PASSWORD)
    assert "second step" in await message_of(portal, answer, "/auth/billing-password")
    assert (await flash_of(portal, await set_password(visitor), "/auth/forgot"))["form"]


async def test_a_user_who_does_not_own_the_client_is_sent_to_its_owner(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    await prove(visitor, worker, EMI_EMAIL)
    answer = await old_password(visitor, BILLING_PASSWORD)
    assert "Ask its owner" in await message_of(portal, answer, "/auth/billing-password")


async def test_a_closed_client_is_sent_to_our_team(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    email, client_id = await new_client()
    await whmcs("CloseClient", clientid=client_id)
    await prove(visitor, worker, email)
    assert "is closed" in await message_of(portal, await old_password(visitor), "/auth/billing-password")


async def test_several_owned_clients_are_distinguished_by_their_address(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    email, first = await new_client()
    owner = (await whmcs("GetClientsDetails", clientid=first))["client"]["owner_user_id"]
    await new_client(owner=owner)
    await moved(visitor, worker, email)
    await whmcs("UpdateClient", clientid=first, email=f"{uuid4().hex}@example.jp")
    # The first is migrated; with no client of this address left, an agent has to choose.
    other = Visitor(visitor.settings)
    await other.submit("/api/auth/migrate", email=email)
    assert (await mailed(worker, email))["occasion"] == "already_registered"


async def test_a_client_is_migrated_only_once_even_for_two_addresses(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    email, client_id = await new_client()
    await moved(visitor, worker, email)
    owner = (await whmcs("GetClientsDetails", clientid=client_id))["client"]["owner_user_id"]
    renamed = f"{uuid4().hex}@example.jp"
    await whmcs("UpdateUser", user_id=owner, email=renamed)
    other = Visitor(visitor.settings)
    await prove(other, worker, renamed)
    assert "moved already" in await message_of(portal, await old_password(other), "/auth/login")


async def test_a_portal_customer_gets_the_same_screen_and_a_mail_that_says_so(
    visitor: Visitor, worker: Portal, portal: Portal
) -> None:
    email = await new_account(portal)
    answer = await visitor.submit("/api/auth/migrate", email=email)
    assert answer.headers["location"] == "/auth/verify"
    assert (await mailed(worker, email))["occasion"] == "already_registered"
    assert (await visitor.submit("/api/auth/migrate", email=BEN)).headers["location"] == "/auth/verify"


async def test_a_customer_of_whmcs_is_sent_from_sign_up_to_the_migration(visitor: Visitor, worker: Portal) -> None:
    email, _ = await new_client()
    answer = await prove(visitor, worker, email, start="/api/auth/signup")
    assert answer.headers["location"] == "/auth/billing-password"
    assert (await old_password(visitor)).headers["location"] == "/auth/set-password"


async def test_without_a_proven_mailbox_no_password_is_tried(visitor: Visitor, portal: Portal) -> None:
    email, _ = await new_client()
    await visitor.submit("/api/auth/migrate", email=email)
    await flash_of(portal, await old_password(visitor), "/auth/signup")
    await flash_of(portal, await set_password(visitor), "/auth/forgot")


async def test_a_try_does_not_count_while_whmcs_is_down(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    email, _ = await new_client()
    await prove(visitor, worker, email)
    whmcs_faults = portal.settings.whmcs_url.removesuffix("/whmcs") + "/office/api/faults/whmcs"
    async with httpx.AsyncClient() as http:
        await http.post(whmcs_faults, json={"down": True})
        refused = await old_password(visitor)
        await http.post(whmcs_faults, json={})
    assert "not answering" in await message_of(portal, refused, "/auth/billing-password")
    flash = await flash_of(portal, await old_password(visitor, "wrong"), "/auth/billing-password")
    assert flash["password"].endswith("4.")


async def test_a_double_click_on_the_last_step_makes_one_account(visitor: Visitor, worker: Portal) -> None:
    email, _ = await new_client()
    await prove(visitor, worker, email)
    await old_password(visitor)
    token = visitor.cookie("signup")
    for _ in range(3):
        visitor.set_cookie("signup", token)
        assert (await set_password(visitor)).headers["location"] == "/dashboard"


async def test_a_customer_of_salesforce_alone_keeps_the_number_at_sign_up(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    number, email = f"C6{uuid4().int % 10**7:07}", f"{uuid4().hex}@example.jp"
    await known_to_salesforce(worker, number, email)
    answer = await prove(visitor, worker, email, start="/api/auth/signup")
    assert answer.headers["location"] == "/auth/details"
    assert (await visitor.submit("/api/auth/signup/complete", **DETAILS)).headers["location"] == "/dashboard"
    async with portal.database.identity() as session:
        user = await User.by_email(session, portal.identity.secrets.ring.index(email, EMAIL_PLACE))
    assert user.customer_number == number


async def test_a_billed_account_under_another_address_stops_a_second_sign_up(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    number, email = f"C7{uuid4().int % 10**7:07}", f"{uuid4().hex}@example.jp"
    await known_to_salesforce(worker, number, email, client="#9999 - Hana Mori")
    answer = await prove(visitor, worker, email, start="/api/auth/signup")
    assert "under another address" in await message_of(portal, answer, "/auth/migrate")


async def known_to_salesforce(worker: Portal, number: str, email: str, *, client: str = "") -> None:
    """Make an account with a contact, as agents did before the portal."""
    account = {"Name": "Mori", "SF_Account_No__c": number, "WH_Account__c": client or None}
    person = {"LastName": "Mori", "Email": email, "AccountId": "@{a.id}"}
    parts = [Part("a", "POST", "sobjects/Account", account), Part("c", "POST", "sobjects/Contact", person)]
    await worker.vendors.existing_accounts._client.composite("known before", parts, safe=False)
