"""Mass assignment: unexpected members in forms and JSON."""

from uuid import uuid4

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import DETAILS
from tests.support.clients.visitor import Visitor, mailed
from tests.support.running.world import BEN
from tests.support.values.people import ADDRESS

EXTRA = {
    "email": BEN,
    "status": "active",
    "customer_number": "C00000002",
    "user_id": str(uuid4()),
    "whmcs_client_id": "2",
    "is_admin": "true",
    "verified_at": "2026-01-01",
}
SKU = "VPN-REMOTE-ACCESS-USA-SF"


async def proven(visitor: Visitor, worker: Portal) -> str:
    """Prove a fresh mailbox and return its address."""
    email = f"{uuid4().hex}@example.jp"
    await visitor.submit("/api/auth/signup", email=email)
    await visitor.submit("/api/auth/signup/verify", code=(await mailed(worker, email))["code"])
    return email


async def test_a_sign_up_form_sets_nothing_but_its_own_fields(visitor: Visitor, worker: Portal) -> None:
    email = await proven(visitor, worker)
    answer = await visitor.submit("/api/auth/signup/complete", **DETAILS, **EXTRA)
    assert answer.headers["location"] == "/dashboard"
    account = (await visitor.get("/api/me")).json()
    assert account == {
        "name": "Hana Mori",
        "email": email,
        "customer_number": None,
        "status": "setting_up",
        "language": "en",
        "profile": None,
    }


@pytest.mark.parametrize("name", sorted(EXTRA))
async def test_json_with_a_foreign_member_is_refused(visitor: Visitor, worker: Portal, name: str) -> None:
    await proven(visitor, worker)
    answer = await visitor.call("POST", "/api/auth/signup/complete", DETAILS | {name: EXTRA[name]})
    assert (answer.status_code, answer.json()["fields"]) == (422, {name: "Not expected here."})
    assert not visitor.cookie("access")


async def test_a_profile_takes_nothing_but_its_own_members(ben: Visitor) -> None:
    before = (await ben.get("/api/me")).json()
    for name, value in (EXTRA | {"name": "Mallory", "credit": "1000000", "tax_exempt": "true"}).items():
        for path, own in (("/api/me", {"marketing": True}), ("/api/me/address", ADDRESS)):
            answer = await ben.call("PATCH", path, own | {name: value})
            assert (answer.status_code, answer.json()["fields"]) == (422, {name: "Not expected here."})
    assert (await ben.get("/api/me")).json() == before


@pytest.mark.parametrize(
    "extra", [{"price": 1}, {"quantity": 99}, {"user_id": str(uuid4())}, {"stage": "active"}, {"lines": []}]
)
async def test_an_order_takes_no_price_quantity_or_owner(ben: Visitor, extra: dict[str, object]) -> None:
    before = (await ben.get("/api/orders")).json()
    answer = await ben.call(
        "POST", "/api/orders", {"sku": SKU, "terms_accepted": True} | extra, Idempotency_Key=uuid4().hex
    )
    assert answer.status_code == 422
    assert (await ben.get("/api/orders")).json() == before


@pytest.mark.parametrize("sku", ["VPN-ACTIVATION-FEE", "SIM-ADDON-VOICE-MAIL", SKU.lower(), f"{SKU} ", "", "%"])
async def test_a_product_that_is_no_plan_cannot_be_ordered(ben: Visitor, sku: str) -> None:
    answer = await ben.call("POST", "/api/orders", {"sku": sku, "terms_accepted": True}, Idempotency_Key=uuid4().hex)
    assert answer.status_code in (404, 422)
