"""The address check over the API: requested, answered by an agent, used for an order, private to its customer."""

from uuid import uuid4

import httpx
import psycopg

from portal_app.domain.profile.customer import Profile
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, new_account
from tests.support.clients.whmcs_clients import whmcs
from tests.support.running.world import world
from tests.support.values.people import ADDRESS, PERSON

PLAN = "INTERNET-GOLD-HOME-1G"


async def moved_in(worker: Portal, visitor: Visitor) -> IdMapping:
    """Set a customer with a card up at every vendor, signed in, at an address known in Japanese."""
    email, number = await new_account(worker), f"C{uuid4().int % 10**8:08}"
    profile = Profile.parse(email, {**PERSON, **ADDRESS})
    client = await worker.vendors.clients.add_client(profile, customer_number=number, password="x" * 20)
    async with worker.database.unit_of_work() as session:
        user = await User.by_email(session, worker.identity.secrets.ring.index(email, EMAIL_PLACE))
        assert user is not None
    crm = await worker.vendors.crm.upsert_customer(
        profile, user_id=user.id, customer_number=number, whmcs_client_id=client
    )
    ids = {"whmcs_client_id": client, "sf_account_id": crm.account_id, "sf_contact_id": crm.contact_id}
    mapping = IdMapping(user_id=user.id, customer_number=number, **ids)
    async with worker.database.unit_of_work() as session:
        session.add(mapping)
    card = {"card_number": "4242424242424242", "card_expiry": "1231", "gateway_module_name": "stripe"}
    await whmcs("AddPayMethod", clientid=client, type="RemoteCreditCard", **card)
    await visitor.sign_in(email)
    assert (await visitor.call("PATCH", "/api/me/address", ADDRESS)).status_code == 202
    for step in (worker.profile.profile_changes.send_to_whmcs, worker.profile.profile_changes.send_to_salesforce):
        await step(user.id)
    return mapping


async def answered(worker: Portal, mapping: IdMapping, *offers: str) -> None:
    """Hand the request over, let an agent answer, and take the answer over."""
    with psycopg.connect(world().postgres.url()) as owner:
        query = "SELECT check_id FROM internet_eligibility WHERE user_id = %s"
        (check_id,) = owner.execute(query, (mapping.user_id,)).fetchone() or (None,)
    await worker.internet.answers.hand_over(mapping.user_id, check_id)
    body = {"offers": list(offers), "note": "Fibre is in the street."}
    async with httpx.AsyncClient(base_url=world().office) as office:
        (await office.post(f"api/address-checks/{mapping.sf_account_id}", json=body)).raise_for_status()
    await worker.internet.answers.apply_account(mapping.sf_account_id)


def order(address_id: str, **connection: str) -> dict:
    chosen = {"access_mode": "ipoe_home_gateway", "installation": "24m"} | connection
    answers = {"address": {"confirmed": "on", "address_id": address_id}, "connection": chosen}
    return {"sku": PLAN, "terms_accepted": True, "answers": answers | {"phone": {"line": "new", "home_phone": "on"}}}


async def test_an_address_is_checked_once_and_what_was_found_can_be_ordered(visitor: Visitor, worker: Portal) -> None:
    mapping = await moved_in(worker, visitor)
    first = (await visitor.get("/api/me/eligibility")).json()
    assert (first["status"], first["offers"], first["as_of"]) == ("not_requested", [], None)
    assert first["address"]["street"] == ADDRESS["street"]
    for _ in range(2):
        asked = await visitor.call("POST", "/api/me/eligibility")
        assert (asked.status_code, asked.json()["status"]) == (202, "pending")
    refused = await visitor.call("POST", "/api/orders", order(first["address_id"]), Idempotency_Key=uuid4().hex)
    assert (refused.status_code, set(refused.json()["fields"])) == (422, {"address"})
    await answered(worker, mapping, "Home 1G")
    found = (await visitor.get("/api/me/eligibility")).json()
    assert (found["status"], found["offers"], found["note"]) == ("eligible", ["Home 1G"], "Fibre is in the street.")
    summary = (await visitor.get("/api/me/summary")).json()
    assert summary["internet"] == "eligible" and "address_checked" in [task["kind"] for task in summary["tasks"]]
    for wrong, field in (({"installation": "36m"}, "installation"), ({"access_mode": "pppoe"}, "home_phone")):
        body = order(found["address_id"], **wrong)
        refused = await visitor.call("POST", "/api/orders", body, Idempotency_Key=uuid4().hex)
        assert (refused.status_code, set(refused.json()["fields"])) == (422, {field})
    placed = await visitor.call("POST", "/api/orders", order(found["address_id"]), Idempotency_Key=uuid4().hex)
    assert (placed.json()["monthly"]["minor"], placed.json()["one_time"]["minor"]) == (5800 + 950 + 450, 1000)
    second = await visitor.call("POST", "/api/orders", order(found["address_id"]), Idempotency_Key=uuid4().hex)
    assert (second.status_code, second.json()["code"]) == (409, "conflict")


async def test_without_a_session_or_an_address_there_is_nothing_to_check(visitor: Visitor, ben: Visitor) -> None:
    assert (await visitor.get("/api/me/eligibility")).status_code == 401
    refused = await ben.call("POST", "/api/me/eligibility")
    assert (refused.status_code, set(refused.json()["fields"])) == (422, {"address"})
    # Without a request and an answer the state is unknown or not requested, and never "no".
    assert (await ben.get("/api/me/eligibility")).json()["status"] == "not_requested"


async def test_internet_plans_with_their_extras_need_no_session(visitor: Visitor) -> None:
    plans = (await visitor.get("/api/services/internet")).json()["items"]
    assert [plan["sku"] for plan in plans][:3] == ["INTERNET-SILVER-HOME-1G", PLAN, "INTERNET-PLATINUM-HOME-1G"]
    assert all(plan["is_orderable"] for plan in plans)
    extras = {extra["sku"]: extra["cycle"] for extra in plans[1]["extras"]}
    assert extras["INTERNET-INSTALL-SINGLE"] == "onetime" and extras["INTERNET-INSTALL-12M"] == "monthly"
    assert not {"INTERNET-ADDON-HIKARI-DENWA-INSTALL", "INTERNET-ADDON-WIFI-ROUTER"} & extras.keys()
    assert [item["sku"] for item in plans[2]["included"]] == ["INTERNET-ADDON-WIFI-ROUTER"]
