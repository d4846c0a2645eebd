"""Buying data at the API: price and amount checked, one key one purchase, and nobody else's line."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from portal_app.wiring.portal import Portal
from tests.contract.api.sim.conftest import DATA, DOUBTFUL, FAMILY, VOICE, forget_reading
from tests.support.clients.visitor import Visitor


async def buy(visitor: Visitor, service_id: int, body: Any, *, key: str = "") -> Any:
    path = f"/api/subscriptions/{service_id}/sim/top-ups"
    return await visitor.call("POST", path, body, Idempotency_Key=key or uuid4().hex)


@pytest.mark.parametrize("gigabytes", [0, 0.5, 51, "1e1", -1, None, 10**9])
async def test_other_amounts_make_nothing(sato: Visitor, services: dict[str, int], gigabytes: Any) -> None:
    answer = await buy(sato, services[VOICE], {"gigabytes": gigabytes, "total": 550})
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["gigabytes"])
    assert (await sato.get(f"/api/subscriptions/{services[VOICE]}/sim/top-ups")).json()["items"] == []


async def test_data_are_bought_once_per_key_at_the_price_that_was_shown(
    sato: Visitor, ben: Visitor, worker: Portal, services: dict[str, int]
) -> None:
    path = f"/api/subscriptions/{services[FAMILY]}/sim/top-ups"
    # The line's state is known once its page was opened.
    await forget_reading(worker, services[FAMILY])
    await sato.get(f"/api/subscriptions/{services[FAMILY]}/sim")
    shown = (await sato.get(path)).json()
    assert (shown["price"]["minor"], shown["least_gigabytes"], shown["most_gigabytes"]) == (500, 1, 50)
    wanted, key = {"gigabytes": 3, "total": 1650}, uuid4().hex
    assert (await sato.call("POST", path, wanted, Idempotency_Key="")).status_code == 400, "no key"
    changed = await buy(sato, services[FAMILY], {"gigabytes": 3, "total": 1500})
    assert (changed.status_code, changed.json()["code"]) == (409, "offer_changed")
    first = await buy(sato, services[FAMILY], wanted, key=key)
    again = await buy(sato, services[FAMILY], wanted, key=key)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])
    assert (first.json()["standing"], first.json()["total"]["minor"]) == ("under_way", 1650)
    reused = await buy(sato, services[FAMILY], {"gigabytes": 4, "total": 2200}, key=key)
    assert reused.json()["code"] == "idempotency_key_reused"
    second = await buy(sato, services[FAMILY], wanted)
    assert (second.status_code, second.json()["code"]) == (409, "top_up_under_way")
    assert [each["id"] for each in (await sato.get(path)).json()["items"]] == [first.json()["id"]]
    for call in (ben.get(path), buy(ben, services[FAMILY], wanted)):
        assert (await call).status_code == 404
    await _forget(worker, UUID(first.json()["id"]))


async def test_a_line_that_is_not_linked_or_not_active_gets_none(
    sato: Visitor, worker: Portal, services: dict[str, int]
) -> None:
    wanted = {"gigabytes": 1, "total": 550}
    assert (await buy(sato, services[DOUBTFUL], wanted)).status_code == 404
    async with worker.database.unit_of_work() as session:
        change = sa.text("UPDATE sim_lines SET body = jsonb_build_object('state', 'suspended') WHERE service_id = :id")
        await (await session.connection()).execute(change, {"id": services[DATA]})
    answer = await buy(sato, services[DATA], wanted)
    assert (answer.status_code, answer.json()["code"]) == (409, "line_not_active")
    await forget_reading(worker, services[DATA])


async def _forget(worker: Portal, top_up_id: UUID) -> None:
    """Leave the line free for other tests: no worker runs here."""
    async with worker.database.unit_of_work() as session:
        gone = sa.text("DELETE FROM top_ups WHERE id = :id")
        await (await session.connection()).execute(gone, {"id": top_up_id})
