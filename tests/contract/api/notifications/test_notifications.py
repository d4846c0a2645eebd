"""Notification preferences are respected by notices and mails; scheduled reminders are sent once."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from portal_app.infra.clock import today
from portal_app.wiring.portal import Portal
from tests.support.clients.cancelling import cancel, path_of, put_back
from tests.support.clients.visitor import Visitor

__all__ = ["put_back"]
PATH = "/api/me/notifications"


@pytest.fixture
async def announcements(ben: Visitor, worker: Portal, portal: Portal):
    """Count Ben's notices and mails of a kind; his preferences are reset afterwards."""
    user = portal.identity.sessions.read_access_token(ben.cookie("access")).user_id

    async def count(kind: str) -> tuple[int, int]:
        values = {"user": user, "kind": kind}
        return (
            await value(worker, "SELECT count(*) FROM notices WHERE user_id = :user AND kind = :kind", **values),
            await value(worker, "SELECT count(*) FROM mails WHERE user_id = :user AND occasion = :kind", **values),
        )

    yield count
    await ben.call("PATCH", PATH, {"items": [{"topic": "billing", "portal": True, "mail": True}]})
    await ben.call("PATCH", PATH, {"items": [{"topic": "services", "portal": True}]})


async def value(worker: Portal, query: str, **values: Any) -> int:
    async with worker.database.unit_of_work() as session:
        return int(await (await session.connection()).scalar(sa.text(query), values) or 0)


async def test_every_topic_notifies_until_it_is_turned_off(ben: Visitor) -> None:
    items = {each["topic"]: each for each in (await ben.get(PATH)).json()["items"]}
    assert set(items) == {"orders", "services", "billing", "cards", "support", "security"}
    assert all(each["portal"] and each["mail"] for each in items.values())
    changed = await ben.call("PATCH", PATH, {"items": [{"topic": "billing", "mail": False}]})
    assert {each["topic"]: each["mail"] for each in changed.json()["items"]}["billing"] is False
    assert (await ben.get(PATH)).json() == changed.json()
    assert (await ben.call("PATCH", PATH, {"items": [{"topic": "billing", "mail": True}]})).status_code == 200


@pytest.mark.parametrize(
    "item",
    [
        {"topic": "security", "mail": False},
        {"topic": "services", "mail": False},
        {"topic": "everything", "mail": False},
        {"topic": "billing", "mail": "no thanks"},
        {"topic": "billing", "user_id": str(uuid4())},
    ],
)
async def test_mandatory_topics_and_malformed_choices_are_refused(ben: Visitor, item: dict[str, Any]) -> None:
    before = (await ben.get(PATH)).json()
    assert (await ben.call("PATCH", PATH, {"items": [item]})).status_code == 422
    assert (await ben.get(PATH)).json() == before


async def test_a_disabled_notice_is_not_raised_and_a_mandatory_mail_is_sent(ben: Visitor, announcements: Any) -> None:
    await ben.call("PATCH", PATH, {"items": [{"topic": "services", "portal": False}]})
    notices, mails = await announcements("cancellation_scheduled")
    path = await path_of(ben)
    assert (await cancel(ben, path)).status_code == 201
    assert await announcements("cancellation_scheduled") == (notices, mails + 1)


async def test_an_overdue_invoice_is_announced_once_and_as_chosen(
    ben: Visitor, worker: Portal, announcements: Any
) -> None:
    unpaid = (await ben.get("/api/invoices?status=unpaid")).json()["items"][0]
    await ben.call("PATCH", PATH, {"items": [{"topic": "billing", "mail": False}]})
    notices, mails = await announcements("invoice_overdue")
    assert await worker.billing.reminders.invoices() >= 1
    assert await announcements("invoice_overdue") == (notices + 1, mails)
    # A second run finds nothing new, even for a topic that was off before and is on now.
    await ben.call("PATCH", PATH, {"items": [{"topic": "billing", "mail": True}]})
    await worker.billing.reminders.invoices()
    assert await announcements("invoice_overdue") == (notices + 1, mails)
    for days, announced in ((4, 0), (3, 1), (0, 1)):
        await let_it_be_due(worker, unpaid["id"], today() + timedelta(days=days))
        await worker.billing.reminders.invoices()
        assert (await announcements("invoice_due"))[1] == announced
    await let_it_be_due(worker, unpaid["id"], date.fromisoformat(unpaid["due_on"]))


async def let_it_be_due(worker: Portal, invoice_id: int, day: date) -> None:
    move = "UPDATE invoices_mirror SET due_on = :day, body = jsonb_set(body, '{due_on}', to_jsonb(CAST(:day AS text)))"
    async with worker.database.unit_of_work() as session:
        connection = await session.connection()
        await connection.execute(sa.text(f"{move} WHERE invoice_id = :id"), {"day": day, "id": invoice_id})


async def test_an_expiring_card_is_announced_once(
    ben: Visitor, worker: Portal, portal: Portal, announcements: Any
) -> None:
    user = portal.identity.sessions.read_access_token(ben.cookie("access")).user_id
    customer = await worker.identity.accounts.customer(user)
    assert str(user) in [each for turn in range(28) for each in await customers_of(worker, turn)]
    await worker.billing.reminders.cards(user)
    assert await announcements("card_expires") == (0, 0)
    (card,) = await worker.billing.payment_methods.payment_methods_for(customer)
    soon = (today() + timedelta(days=20)).strftime("%m/%y")
    key = f"payment-methods:{user}"
    await worker.cache.invalidate(key)

    async def expiring() -> list[dict[str, Any]]:
        return [{"id": card.id, "kind": "card", "description": "", "last_four": "4242", "expires": soon, "gateway": ""}]

    await worker.cache.get_or_set(key, expiring, seconds=60, tags=(key,))
    for _ in range(2):
        await worker.billing.reminders.cards(user)
        assert await announcements("card_expires") == (1, 1)
    await worker.cache.invalidate(key)


async def customers_of(worker: Portal, turn: int) -> list[str]:
    query = sa.text("SELECT user_id FROM id_mappings WHERE mod(abs(hashtext(user_id::text)::bigint), 28) = :turn")
    async with worker.database.unit_of_work() as session:
        return [str(row[0]) for row in await (await session.connection()).execute(query, {"turn": turn})]
