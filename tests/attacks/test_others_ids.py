"""Ids of another customer, and malformed ids."""

from uuid import uuid4

import pytest

from tests.support.clients.visitor import Visitor

ODD = [
    "0",
    "-1",
    "999999999",
    "99999999999999999999",
    "1.0",
    "1e3",
    "0x1",
    "١",
    "null",
    "1%00",
    "1%20OR%201=1",
    "..%2f1",
    "%F0%9F%98%80",
]


async def ids_of(ben: Visitor) -> list[str]:
    """Return the addresses of everything Ben has."""
    placed = await ben.call(
        "POST",
        "/api/orders",
        {"sku": "VPN-REMOTE-ACCESS-UK-LONDON", "terms_accepted": True},
        Idempotency_Key=uuid4().hex,
    )
    paths = [f"/api/orders/{placed.json()['id']}"]
    for kind in ("invoices", "subscriptions"):
        paths += [f"/api/{kind}/{row['id']}" for row in (await ben.get(f"/api/{kind}")).json()["items"]]
    return paths


async def test_records_of_another_customer_are_not_found(ben: Visitor, aiko: Visitor) -> None:
    for path in await ids_of(ben):
        missing = await aiko.get(path.rpartition("/")[0] + ("/" + str(uuid4()) if "orders" in path else "/987654"))
        assert (await ben.get(path)).status_code == 200
        for _ in range(2):
            answer = await aiko.get(path)
            assert (path, answer.status_code) == (path, 404)
            assert answer.content == missing.content


async def test_no_sign_on_link_is_made_to_another_customers_invoice(ben: Visitor, aiko: Visitor) -> None:
    invoice = (await ben.get("/api/invoices")).json()["items"][0]["id"]
    answer = await aiko.call("POST", f"/api/invoices/{invoice}/sso-link")
    assert answer.status_code == 404 and "url" not in answer.text
    led = await aiko.submit(f"/api/invoices/{invoice}/sso-link")
    assert led.headers["location"].startswith(f"/billing/invoices/{invoice}?flash=")


async def test_lists_show_only_the_customers_own_records(ben: Visitor, aiko: Visitor) -> None:
    theirs = {path.rpartition("/")[2] for path in await ids_of(ben)}
    for path in ("/api/invoices", "/api/subscriptions", "/api/orders"):
        assert not theirs & {str(row["id"]) for row in (await aiko.get(path)).json()["items"]}


async def test_an_idempotency_key_belongs_to_one_customer(ben: Visitor, aiko: Visitor) -> None:
    key = uuid4().hex
    placed = await ben.call(
        "POST", "/api/orders", {"sku": "VPN-REMOTE-ACCESS-UK-LONDON", "terms_accepted": True}, Idempotency_Key=key
    )
    answer = await aiko.call(
        "POST", "/api/orders", {"sku": "VPN-REMOTE-ACCESS-UK-LONDON", "terms_accepted": True}, Idempotency_Key=key
    )
    assert placed.status_code == 201 and placed.json()["id"] not in answer.text


@pytest.mark.parametrize("kind", ["invoices", "subscriptions", "orders"])
async def test_a_malformed_id_is_not_found(ben: Visitor, kind: str) -> None:
    for odd in ODD:
        answer = await ben.get(f"/api/{kind}/{odd}")
        assert (odd, answer.status_code) == (odd, 404)
