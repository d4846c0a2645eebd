"""What a signed-in customer reads: account, invoices, cards, services; and the public catalogue."""

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, instead_of, new_customer
from tests.support.running.world import BEN, world

PATHS = [
    "/api/me",
    "/api/me/summary",
    "/api/invoices",
    "/api/invoices/1",
    "/api/payment-methods",
    "/api/subscriptions",
    "/api/orders",
    "/api/me/eligibility",
]


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_of_a_customer_is_shown_without_a_session(visitor: Visitor, path: str) -> None:
    answer = await visitor.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer.headers["cache-control"] == "no-store"


async def test_the_account_shows_its_customer_number(ben: Visitor) -> None:
    account = (await ben.get("/api/me")).json()
    assert [account[name] for name in ("name", "email", "customer_number", "status")] == [
        "Ben Carter",
        BEN,
        "C00000002",
        "active",
    ]


async def test_invoices_come_newest_first_with_amounts_in_minor_units(ben: Visitor) -> None:
    page = (await ben.get("/api/invoices")).json()
    assert (page["total"], page["page"], page["limit"], page["as_of"]) == (2, 1, 20, None)
    assert [row["status"] for row in page["items"]] == ["unpaid", "paid"]
    assert page["items"][0]["total"] == {"minor": 2750, "currency": "JPY", "text": "¥2,750"}


async def test_invoices_can_be_filtered_and_paged(ben: Visitor) -> None:
    paid = (await ben.get("/api/invoices?status=paid")).json()
    assert (paid["total"], paid["items"][0]["status"]) == (1, "paid")
    second = (await ben.get("/api/invoices?limit=1&page=2")).json()
    assert (second["total"], second["items"]) == (2, paid["items"])


async def test_invoices_can_be_searched_and_sorted(ben: Visitor) -> None:
    smallest = (await ben.get("/api/invoices?sort=total&order=asc")).json()
    amounts = [row["total"]["minor"] for row in smallest["items"]]
    assert amounts == sorted(amounts) and smallest["owed"]["due"]["minor"] == 2750
    found = (await ben.get(f"/api/invoices?q={amounts[0]}")).json()
    assert found["items"] and {row["total"]["minor"] for row in found["items"]} == {amounts[0]}


async def test_the_summary_shows_the_amount_due_and_what_is_unknown(ben: Visitor, aiko: Visitor) -> None:
    await ben.get("/api/invoices")
    await ben.get("/api/subscriptions")
    summary = (await ben.get("/api/me/summary")).json()
    assert (summary["owed"]["due"]["minor"], summary["owed"]["due_count"]) == (2750, 1)
    assert summary["next_invoice"]["id"] == summary["owed"]["next_id"]
    assert [row["category"] for row in summary["services"]] == ["vpn"]
    assert summary["as_of"] is None
    await aiko.get("/api/invoices")
    assert (await aiko.get("/api/me/summary")).json()["owed"]["due_count"] == 0


async def test_before_the_first_read_the_summary_says_unknown_not_zero(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    await visitor.sign_in(await new_customer(worker))
    async with instead_of(portal, world().settings_with(mirror_patience_seconds=0)):
        summary = (await visitor.get("/api/me/summary")).json()
    assert (summary["owed"], summary["services"], summary["next_invoice"]) == (None, None, None)
    assert summary["internet"] is None


async def test_an_invoice_opens_as_a_pdf_at_whmcs(ben: Visitor) -> None:
    invoice = (await ben.get("/api/invoices")).json()["items"][0]["id"]
    link = (await ben.call("POST", f"/api/invoices/{invoice}/sso-link?target=pdf")).json()["url"]
    assert link.startswith(ben.settings.whmcs_url)
    wrong = await ben.call("POST", f"/api/invoices/{invoice}/sso-link?target=https://evil.example")
    assert wrong.status_code == 422


async def test_a_wrong_filter_is_named(ben: Visitor) -> None:
    answer = await ben.get("/api/invoices?status=gone&limit=0")
    assert (answer.status_code, set(answer.json()["fields"])) == (422, {"status", "limit"})


async def test_one_invoice_shows_lines_and_payments(ben: Visitor) -> None:
    paid = (await ben.get("/api/invoices?status=paid")).json()["items"][0]
    invoice = (await ben.get(f"/api/invoices/{paid['id']}")).json()
    assert invoice["total"] == paid["total"] and invoice["balance"]["minor"] == 0
    assert invoice["lines"][0]["amount"]["minor"] == 2500 and len(invoice["payments"]) == 1


async def test_cards_show_only_their_last_digits(ben: Visitor, aiko: Visitor) -> None:
    cards = (await ben.get("/api/payment-methods")).json()["items"]
    assert [card["last_four"] for card in cards] == ["4242"]
    assert (await aiko.get("/api/payment-methods")).json() == {"items": []}


async def test_services_are_listed_and_shown(ben: Visitor) -> None:
    listed = (await ben.get("/api/subscriptions")).json()["items"]
    assert [(row["category"], row["status"]) for row in listed] == [("vpn", "active")]
    shown = (await ben.get(f"/api/subscriptions/{listed[0]['id']}")).json()
    assert shown["recurring"] == listed[0]["recurring"]


async def test_the_catalogue_needs_no_session(visitor: Visitor) -> None:
    answer = await visitor.get("/api/services/vpn")
    plan = answer.json()["items"][0]
    assert plan["sku"] == "VPN-REMOTE-ACCESS-USA-SF"
    assert (plan["monthly"]["minor"], plan["monthly_with_tax"]["minor"], plan["one_time"]["minor"]) == (
        2500,
        2750,
        3000,
    )
    assert (await visitor.get("/api/services/tea")).status_code == 404


async def test_a_sign_on_link_is_given_to_programs_and_followed_by_forms(ben: Visitor) -> None:
    unpaid = (await ben.get("/api/invoices?status=unpaid")).json()["items"][0]
    given = (await ben.call("POST", f"/api/invoices/{unpaid['id']}/sso-link")).json()["url"]
    led = await ben.submit(f"/api/invoices/{unpaid['id']}/sso-link", page="/billing/invoices")
    assert given.startswith(ben.settings.whmcs_url) and given != led.headers["location"]
    assert led.status_code == 303 and led.headers["location"].startswith(ben.settings.whmcs_url)


async def test_the_card_page_gets_the_return_link(ben: Visitor) -> None:
    answer = await ben.submit("/api/payment-methods/sso-link", back="/checkout/VPN-REMOTE-ACCESS-USA-SF")
    assert answer.status_code == 303 and answer.headers["location"].startswith(ben.settings.whmcs_url)


async def test_saved_data_is_shown_with_its_age_while_whmcs_is_away(ben: Visitor, portal: Portal) -> None:
    await ben.get("/api/invoices")
    customer = await portal.identity.accounts.customer(
        portal.identity.sessions.read_access_token(ben.cookie("access")).user_id
    )
    await portal.billing.invoices.mark_stale(customer)
    away = world().settings_with(whmcs_api_url="http://127.0.0.1:1/whmcs/includes/api.php")
    async with instead_of(portal, away):
        answer = await ben.get("/api/invoices")
    assert answer.status_code == 200 and len(answer.json()["items"]) == 2
    assert answer.headers["x-data-as-of"] and answer.json()["as_of"]
