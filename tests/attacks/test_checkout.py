"""Attack case 5 at the checkout: forged prices, steps, plans and drafts by event, JSON and form."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from portal_app.domain.checkout.request import OrderRequest
from portal_app.domain.errors import InvalidInput
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.attacks.test_every_handler import cookies_of, still_works
from tests.support.clients.kyc_customer import Hana, hana
from tests.support.clients.placing import place_order
from tests.support.clients.raw_socket import RawSocket, raw_socket
from tests.support.clients.visitor import Visitor
from tests.support.running.world import AIKO, BEN, world
from tests.support.values.documents import picture
from tests.support.values.sim_answers import EID, HOLDER

__all__ = ["hana"]
_STATE = "reflex___state____state.portal_app___state___"
OPEN = f"{_STATE}checkout___review____checkout_page.load"
PLACE = f"{_STATE}checkout___review____checkout_page.place_order"
SAVE = {
    "number": f"{_STATE}checkout___steps____number_step_page.save",
    "address": f"{_STATE}internet___steps____address_step_page.save",
    "connection": f"{_STATE}internet___steps____connection_step_page.save",
    "phone": f"{_STATE}internet___steps____phone_step_page.save",
}
VPN, FIBRE = "VPN-REMOTE-ACCESS-USA-SF", "INTERNET-GOLD-HOME-1G"
DATA, VOICE = "SIM-DATA-ONLY-5GB", "SIM-DATA-VOICE-5GB"
SIM = {"sim_type": "esim", "eid": EID, "start": "now"}
NUMBER = HOLDER | {"origin": "new", "gender": "M"}
FIBRE_ANSWERS = {
    "address": {"confirmed": "on", "address_id": "0123456789abcdef", "is_offered": "on"},
    "connection": {"access_mode": "ipoe_own_router", "installation": "12m"},
    "phone": {"line": "new"},
}


def rows(query: str, email: str = BEN) -> list[tuple[Any, ...]]:
    """Return what the database has of a customer; the query names them as %s."""
    number = {BEN: "C00000002", AIKO: "C00000001"}[email]
    with psycopg.connect(world().postgres.url()) as owner:
        return owner.execute(query, (number,)).fetchall()


def orders(email: str = BEN) -> list[tuple[Any, ...]]:
    """Return every order of a customer with its lines."""
    return rows("SELECT o.id, o.lines FROM orders o JOIN id_mappings USING (user_id) WHERE customer_number = %s", email)


async def press(socket: RawSocket, **entries: Any) -> None:
    """Press the button with forged form fields."""
    await socket.send(PLACE, {"form": {"terms_accepted": "on", **entries}}, path="/checkout")


async def test_entries_beside_the_terms_change_nothing_about_what_is_ordered(web: Settings) -> None:
    before = orders()
    async with raw_socket(web, cookies=cookies_of(web, BEN)) as tab:
        await tab.send(OPEN, path=f"/checkout?plan={VPN}")
        await tab.wait_for_words("San Francisco")
        forged = {"price": 1, "monthly": "¥1", "quantity": 99, "sku": "VPN-ACTIVATION-FEE", "draft_id": str(uuid4())}
        await press(tab, terms_accepted="", **forged)
        await tab.wait_for_words("Accept the terms of service to order.")
        assert orders() == before
        await press(tab, **forged, totals=[1, 1], user_id=str(uuid4()))
        await tab.wait_for_words("/orders/")
        # The order consumed the draft: another press leads to the same order.
        await press(tab)
        await still_works(tab, "Ben")
    (made,) = [row for row in orders() if row not in before]
    assert [(line["sku"], line["price_minor"]) for line in made[1]] == [(VPN, 2500), ("VPN-ACTIVATION-FEE", 3000)]


async def test_a_step_left_out_by_forged_events_leads_to_no_order(web: Settings) -> None:
    before = orders()
    for plan, steps in ((VOICE, {"number": NUMBER}), (FIBRE, FIBRE_ANSWERS)):
        async with raw_socket(web, cookies=cookies_of(web, BEN)) as tab:
            await tab.send(OPEN, path=f"/checkout?plan={plan}")
            await tab.wait_for_words("/checkout/")
            for step, form in steps.items():
                await tab.send(SAVE[step], {"form": form}, path=f"/checkout/{step}")
                # The same after opening the page of that step, which redirects to the step that is due.
                await tab.send(SAVE[step].replace("save", "load"), path=f"/checkout/{step}")
                await tab.send(SAVE[step], {"form": form}, path=f"/checkout/{step}")
            await press(tab)
            await tab.send(OPEN, path="/checkout")
            await press(tab)
            await still_works(tab, "Ben")
    assert orders() == before


async def test_no_event_starts_a_draft_of_a_plan_that_is_not_offered(web: Settings) -> None:
    before = orders(AIKO)
    async with raw_socket(web, cookies=cookies_of(web, AIKO)) as tab:
        await press(tab)
        for sku in ("VPN-ACTIVATION-FEE", "SIM-ADDON-VOICE-MAIL", "SIM-DATA-VOICE-5GB-FAMILY", f"{VPN}%00", "' OR 1=1"):
            await tab.send(OPEN, path=f"/checkout?plan={sku}")
            await press(tab)
        await still_works(tab, "Aiko")
        # No card: what is offered can be looked at, not ordered.
        await tab.send(OPEN, path=f"/checkout?plan={VPN}")
        await tab.wait_for_words("San Francisco")
        await press(tab)
        await tab.wait_for_words("Add a payment method first.")
    drafts = "SELECT sku FROM order_drafts JOIN id_mappings USING (user_id) WHERE customer_number = %s"
    assert rows(drafts, AIKO) == [(VPN,)] and orders(AIKO) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sku": VPN, "answers": {"sim": SIM}}, "answers"),
        ({"sku": DATA, "answers": {"sim": SIM, "address": FIBRE_ANSWERS["connection"]}}, "answers"),
        ({"sku": DATA, "answers": {"sim": SIM | {"sku": VPN}}}, "answers"),
        ({"sku": DATA, "answers": {"sim": SIM | {"activate_on": "2020-01-01", "start": "date"}}}, "activate_on"),
        ({"sku": VOICE, "answers": {"number": NUMBER}}, "sim_type"),
        ({"sku": FIBRE, "answers": FIBRE_ANSWERS}, "answers"),
        ({"sku": VPN, "draft_id": str(uuid4())}, "draft_id"),
        ({"sku": VPN, "extras": ["SIM-ADDON-VOICE-MAIL"]}, "extras"),
        ({"sku": VPN, "terms_accepted": False}, "terms_accepted"),
    ],
)  # fmt: skip
async def test_the_api_refuses_answers_that_belong_to_another_plan(
    ben: Visitor, body: dict[str, Any], field: str
) -> None:
    before = orders()
    answer = await ben.call("POST", "/api/orders", {"terms_accepted": True} | body, Idempotency_Key=uuid4().hex)
    assert answer.status_code == 422 and field in set(answer.json()["fields"])
    assert orders() == before


async def test_a_form_cannot_order_and_a_key_is_bound_to_its_body(ben: Visitor) -> None:
    before = orders()
    assert (await ben.submit("/api/orders", page="/checkout", sku=VPN, terms_accepted="true")).status_code in (415, 422)
    assert orders() == before
    key = uuid4().hex
    placed = await ben.call("POST", "/api/orders", {"sku": VPN, "terms_accepted": True}, Idempotency_Key=key)
    assert placed.status_code == 201
    for other in (
        {"sku": VPN, "terms_accepted": False},
        {"sku": "VPN-REMOTE-ACCESS-UK-LONDON", "terms_accepted": True},
    ):
        answer = await ben.call("POST", "/api/orders", other, Idempotency_Key=key)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(orders()) == len(before) + 1


async def test_an_identity_document_of_somebody_else_opens_no_voice_line(hana: Hana, portal: Portal) -> None:
    assert (await hana.send(picture())).status_code == 202
    mallory = await hana.driver.buyer()
    # Whatever the form says about the holder, the document counts for the user who uploaded it.
    wish = OrderRequest(VOICE, {"sim": SIM, "number": NUMBER}, has_accepted_terms=True)
    with pytest.raises(InvalidInput) as caught:
        await place_order(portal, mallory.customer, wish, key=uuid4().hex, recipient=mallory.email)
    assert set(caught.value.fields) == {"identity"}
