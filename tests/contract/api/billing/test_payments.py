"""Stored cards are chosen and removed by their owner alone; the history of money is read."""

from tests.support.clients.visitor import Visitor
from tests.support.clients.whmcs_clients import whmcs


async def a_card_of(client_id: int) -> int:
    card = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4242424242424242"}
    made = await whmcs("AddPayMethod", clientid=client_id, card_expiry="1135", **card)
    return int(made["paymethodid"])


async def test_a_card_is_made_the_default_and_removed_by_its_owner_alone(ben: Visitor, aiko: Visitor) -> None:
    card = await a_card_of(2)
    for call in (("POST", f"/api/payment-methods/{card}/default"), ("DELETE", f"/api/payment-methods/{card}")):
        assert (await aiko.call(*call)).status_code == 404
        assert (await ben.call(*call)).status_code == 204
    assert (await ben.call("DELETE", f"/api/payment-methods/{card}")).status_code == 404
    assert card not in [row["id"] for row in (await ben.get("/api/payment-methods")).json()["items"]]


async def test_transactions_and_credit_are_shown_to_their_owner_only(ben: Visitor, aiko: Visitor) -> None:
    paid = (await ben.get("/api/transactions")).json()["items"]
    assert paid and paid[0]["amount"]["minor"] > 0 and paid[0]["invoice_id"]
    credit = (await ben.get("/api/credit")).json()
    assert credit["balance"]["currency"] == "JPY" and isinstance(credit["items"], list)
    theirs = {row["id"] for row in (await aiko.get("/api/transactions")).json()["items"]}
    assert not theirs & {row["id"] for row in paid}


async def test_gateways_are_listed_by_readable_names(ben: Visitor) -> None:
    names = (await ben.get("/api/payment-gateways")).json()["items"]
    assert names and all(row["title"] for row in names)


async def test_money_is_not_shown_without_a_session(visitor: Visitor) -> None:
    for path in ("/api/transactions", "/api/credit", "/api/payment-gateways"):
        assert (await visitor.get(path)).status_code == 401
    assert (await visitor.call("DELETE", "/api/payment-methods/1")).status_code == 401
