"""WHMCS tells the portal of the portal's own writes, before, while and after they are made: nothing is done twice."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

import pytest_asyncio

from portal_app.domain.profile.profile import ProfileChange
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import set_portal
from tests.support.clients.portal_driver import Buyer, PortalDriver, provision_of
from tests.support.clients.visitor import Visitor
from tests.support.clients.webhook_calls import deliver
from tests.support.running.processes import Processes
from tests.support.waiting import LONGEST_SECONDS, until

Hook = tuple[str, dict[str, int]]
NEW_NAME = "花子"


class Echoes:
    """Hooks as WHMCS fires them for what the portal writes, sent through the portal's own webhook."""

    def __init__(self, driver: PortalDriver, settings: Settings) -> None:
        self._shop = driver
        self.visitor = Visitor(settings)
        self._sent: list[str] = []

    async def send(self, *hooks: Hook) -> None:
        """Deliver each hook under an id of its own."""
        for kind, ids in hooks:
            delivery = str(uuid4())
            assert (await deliver(self.visitor, delivery, kind=kind, data=ids)).status_code == 202
            self._sent.append(delivery)

    async def meanwhile(self, hooks: list[Hook], is_done: Callable[[], Awaitable[bool]]) -> None:
        """Deliver hooks again and again until something is done, and once more; no quicker than they are applied."""
        was_done = False
        async with asyncio.timeout(LONGEST_SECONDS):
            while not was_done:
                was_done = await is_done()
                await self.send(*hooks)
                await self.all_applied()

    async def all_applied(self) -> None:
        """Wait until the worker has applied all of them."""
        query = "SELECT count(*) FROM inbox WHERE id = ANY(%s) AND handled_at IS NULL"
        await until(lambda: self._shop.value(query, self._sent), "all hooks are applied", equals=0)

    async def heard_in_pages(self, buyer: Buyer, *hooks: Hook) -> bool:
        """Deliver hooks and say whether an open page of the customer was told of anything."""
        async with self._shop.web.redis.pubsub() as heard:
            await heard.subscribe("portal:live")
            await self.send(*hooks)
            await self.all_applied()
            await self._shop.web.redis.publish("portal:live", json.dumps({"user": "the end"}))
            users = set()
            while "the end" not in users:
                message = await heard.get_message(ignore_subscribe_messages=True, timeout=5)
                if message is not None:
                    users.add(json.loads(message["data"])["user"])
        return str(buyer.customer.user_id) in users


@pytest_asyncio.fixture
async def echoes(driver: PortalDriver, settings: Settings) -> AsyncIterator[Echoes]:
    set_portal(driver.web)
    own = Echoes(driver, settings)
    yield own
    await own.visitor.http.aclose()


async def test_an_order_is_placed_once_however_its_own_hooks_come(
    driver: PortalDriver, processes: Processes, settings: Settings, echoes: Echoes
) -> None:
    processes.start_all("listener", "worker", settings=settings)
    ((buyer, order),) = await driver.reviewed_orders(1)
    client = {"client_id": buyer.customer.whmcs_client_id}
    # The ids that this order will have.
    number = 1 + max(row["id"] for row in (await driver.office.get("/whmcs/orders")).json())
    service = {"service_id": 1 + max(row["id"] for row in (await driver.office.get("/whmcs/services")).json())}
    hooks: list[Hook] = [
        ("AfterShoppingCartCheckout", {"order_id": number}),
        ("AcceptOrder", {"order_id": number}),
        ("AfterModuleCreate", service | client),
        ("ServiceEdit", service | client),
    ]
    await echoes.send(*hooks)
    await driver.approve(order)

    async def is_set_up() -> bool:
        # Not only active: what the work tells open pages itself is told by then.
        return await driver.web.queue.status(provision_of(order)) == "SUCCESS"

    await echoes.meanwhile(hooks, is_set_up)
    await driver.wait_for_stage(order, "active")
    assert await driver.billed(order) == {number}
    assert not await echoes.heard_in_pages(buyer, *hooks)
    await driver.expect_all_active_once([(buyer, order)])


async def test_a_change_is_written_once_and_never_appears_undone_whatever_its_hooks(
    driver: PortalDriver, processes: Processes, settings: Settings, echoes: Echoes
) -> None:
    buyer = await driver.buyer()
    await driver.add_card(buyer)
    customer = buyer.customer
    edit: Hook = ("ClientEdit", {"client_id": customer.whmcs_client_id})
    card: Hook = ("CCUpdate", {"client_id": customer.whmcs_client_id})
    processes.start_all("worker", settings=settings)
    await driver.web.profile.profiles.profile_for(customer)
    # Long enough for hooks to be applied while WHMCS has not written yet.
    await driver.set_faults("whmcs", slow=0.8, operations=["UpdateClient", "UpdatePayMethod"])
    await echoes.send(edit, card)
    await driver.web.profile.profiles.change(customer, ProfileChange(first_name=NEW_NAME), session_id=uuid4())
    _, second = await driver.web.billing.payment_methods.payment_methods_for(customer)
    writing = asyncio.create_task(driver.web.billing.payment_methods.make_default(customer, second.id))

    async def is_written() -> bool:
        profile = await driver.web.profile.profiles.profile_for(customer)
        assert profile.person.first_name == NEW_NAME
        if writing.done():
            shown = await driver.web.billing.payment_methods.payment_methods_for(customer)
            assert [method.id for method in shown if method.is_default] == [second.id]
        return writing.done() and not profile.note

    try:
        await echoes.meanwhile([edit, card], is_written)
        await writing
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
    await echoes.all_applied()
    assert not await echoes.heard_in_pages(buyer, edit, card)
    assert await is_written()
    saved = f"save-profile-{customer.user_id}-%"
    assert await driver.value("SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid LIKE %s", saved) == 1
    tag = "SELECT count(*) FROM audit WHERE user_id = %s AND tag = 'billing:payment_method:made_default'"
    assert await driver.value(tag, customer.user_id) == 1
