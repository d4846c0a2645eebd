"""The listener is killed, cut off and refused its position: nothing is missed, nothing is taken twice."""

import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest

from portal_app.domain.inbound_event import ReplayPosition
from portal_app.domain.orders.order import Order
from portal_app.infra.settings import Settings
from portal_app.wiring.portal import Portal
from tests.support.clients.portal_driver import PortalDriver
from tests.support.running.processes import Processes
from tests.support.running.world import world
from tests.support.waiting import until

REQUEST = "Order_Fulfilment_Requested__e"
# Nothing but the fulfilment event can tell of an approval.
ONE_TOPIC = {"sf_change_channels": "none"}


async def inbox_of(driver: PortalDriver, order: Order) -> list[str]:
    """Return the ids of the fulfilment requests for an order that were taken in."""
    review = await driver.review_of(order)
    query = "SELECT id FROM inbox WHERE kind = %s AND data -> 'order_ids' ? %s"
    return [row[0] for row in await driver.rows(query, REQUEST, review["id"])]


async def expect_one_request(driver: PortalDriver, order: Order) -> None:
    """Wait for the request of an order and expect one: the order may be active before, as it is also looked for."""

    async def requests() -> list[str]:
        return await inbox_of(driver, order)

    await until(requests, "the request for the order was taken in")
    assert len(await requests()) == 1


async def subscriptions(driver: PortalDriver) -> int:
    """Return how often a stream was asked for."""
    return int((await driver.office.get("/calls")).json()["pubsub"].get("Subscribe", 0))


async def one_more(driver: PortalDriver, before: int) -> None:
    """Wait until a stream is asked for once more."""

    async def is_asked() -> bool:
        return await subscriptions(driver) > before

    await until(is_asked, "a stream is asked for")


@contextlib.asynccontextmanager
async def positions_held(driver: PortalDriver) -> AsyncIterator[None]:
    """Let the listener write everything of an event but the position; leaving ends what waits."""
    url = world().postgres.url()
    async with await psycopg.AsyncConnection.connect(url) as own:
        await own.execute("LOCK TABLE replay_positions IN SHARE MODE")
        yield
        for (backend,) in await driver.rows(_WAITING):
            await own.execute("SELECT pg_terminate_backend(%s)", (backend,))
        await own.rollback()


_WAITING = "SELECT pid FROM pg_locks WHERE relation = 'replay_positions'::regclass AND NOT granted"


async def test_an_answer_without_a_position_leaves_the_one_that_is_stored(worker_side: Portal) -> None:
    topic = f"/event/{uuid4().hex}__e"
    for replay_id in (b"\x00\x12", b""):
        await worker_side.inbound.inbox.accept_batch([], ReplayPosition(topic, replay_id))
    assert await worker_side.inbound.inbox.position(topic) == b"\x00\x12"


async def test_event_published_while_listener_is_dead_is_received_once_after_its_start(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    listener, _ = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(2)
    await driver.approve(bought[0][1])
    await driver.wait_for_stage(bought[0][1], "active")
    listener.kill()
    await driver.approve(bought[1][1])
    processes.start_all("listener", settings=settings)
    await driver.expect_all_active_once(bought)
    await expect_one_request(driver, bought[1][1])


async def test_an_approval_shows_at_once_and_once_though_no_worker_has_taken_its_work_yet(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    _, worker = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(1)
    worker.kill()
    await driver.approve(bought[0][1])
    await driver.wait_for_stage(bought[0][1], "being_set_up")
    processes.start_all("worker", settings=settings)
    await driver.expect_all_active_once(bought)
    steps = [step for step, _ in await driver.timeline(bought[0][1])]
    assert steps.count("approved") == 1 and not any(step.startswith("approved#") for step in steps)


async def test_bus_that_comes_back_and_delivers_twice_leads_to_one_order(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    listener, _ = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(1)
    await driver.set_faults("pubsub", down=True, special={"duplicate_event": -1})
    listener.wait_until_it_says("listener.away")
    await driver.approve(bought[0][1])
    await driver.set_faults("pubsub")
    await driver.expect_all_active_once(bought)
    await expect_one_request(driver, bought[0][1])


async def test_orders_approved_while_the_stream_is_cut_for_an_hour_are_received_once(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    listener, _ = processes.start_all("listener", "worker", settings=settings.model_copy(update=ONE_TOPIC))
    bought = await driver.reviewed_orders(3)
    await driver.approve(bought[0][1])
    await driver.wait_for_stage(bought[0][1], "active")
    # A stream that ends by itself is no outage, and hides none.
    before = await subscriptions(driver)
    await driver.set_faults("pubsub", special={"end_stream": 1})
    await one_more(driver, before)
    await driver.set_faults("pubsub", down=True)
    listener.wait_until_it_says("listener.away")
    for _, order in bought[1:]:
        await driver.approve(order)
        await driver.pass_time(seconds=1800)
    await driver.set_faults("pubsub")
    listener.wait_until_it_says("listener.back")
    await driver.expect_all_active_once(bought)
    for _, order in bought:
        await expect_one_request(driver, order)
    assert [listener.log().count(f"listener.{word}") for word in ("away", "back", "position_lost")] == [1, 1, 0]


async def test_listener_killed_between_event_and_commit_leaves_all_or_nothing(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    listener, _ = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(2)
    await driver.approve(bought[0][1])
    await driver.wait_for_stage(bought[0][1], "active")
    order = bought[1][1]
    positions = await driver.rows("SELECT replay_id FROM replay_positions WHERE topic = %s", f"/event/{REQUEST}")
    async with positions_held(driver):
        await driver.approve(order)
        await until(lambda: driver.rows(_WAITING), "the listener stands before its commit")
        listener.kill()
    assert await inbox_of(driver, order) == []
    query = "SELECT replay_id FROM replay_positions WHERE topic = %s"
    assert await driver.rows(query, f"/event/{REQUEST}") == positions
    processes.start_all("listener", settings=settings)
    await driver.expect_all_active_once(bought)
    await expect_one_request(driver, order)
    (event,) = await inbox_of(driver, order)
    workflow = f"event-salesforce-{event}"
    assert await driver.value("SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = %s", workflow) == 1


async def test_a_refused_position_restarts_the_stream_and_the_missed_order_is_reconciled(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    # Only new events from there on: what was missed can come from nothing but the reconcile.
    settings = settings.model_copy(update={"sf_events_replay": "LATEST"})
    listener, _ = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(2)
    await driver.approve(bought[0][1])
    await driver.wait_for_stage(bought[0][1], "active")
    listener.kill()
    missed = bought[1][1]
    await driver.approve(missed)
    await driver.set_faults("pubsub", special={"replay_corrupted": 4})
    (second,) = processes.start_all("listener", settings=settings)
    second.wait_until_it_says("listener.position_lost")
    await driver.expect_all_active_once(bought)
    second.kill()
    await driver.set_faults("pubsub")


async def test_events_before_a_restarted_topic_are_reconciled_with_its_first_answer(
    driver: PortalDriver, processes: Processes, settings: Settings, worker_side: Portal
) -> None:
    settings = settings.model_copy(update={"sf_events_replay": "LATEST", **ONE_TOPIC})
    listener, _ = processes.start_all("listener", "worker", settings=settings)
    bought = await driver.reviewed_orders(3)
    await driver.approve(bought[0][1])
    await driver.wait_for_stage(bought[0][1], "active")
    listener.kill()
    await worker_side.inbound.inbox.forget_position(f"/event/{REQUEST}")

    async def is_reconciled() -> bool:
        query = "SELECT count(*) FROM dbos.workflow_status WHERE name = 'reconcile' AND status <> 'SUCCESS'"
        return await driver.value(query) == 0

    await until(is_reconciled, "the loss is reconciled")
    await driver.approve(bought[1][1])
    before = await subscriptions(driver)
    processes.start_all("listener", settings=settings)
    await one_more(driver, before)
    await driver.approve(bought[2][1])
    await driver.expect_all_active_once(bought)
    assert await inbox_of(driver, bought[1][1]) == []


async def test_second_listener_stands_by_and_takes_over_when_the_first_is_killed(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    first, _ = processes.start_all("listener", "worker", settings=settings)
    first.wait_until_it_says("leader.elected")
    (second,) = processes.start_all("listener", settings=settings)
    bought = await driver.reviewed_orders(2)
    await driver.approve(bought[0][1])
    await driver.wait_for_stage(bought[0][1], "active")
    assert "leader.elected" not in second.log()
    first.kill()
    await driver.approve(bought[1][1])
    second.wait_until_it_says("leader.elected")
    await driver.expect_all_active_once(bought)


@pytest.mark.parametrize("switch", ["gap_event", "overflow", "undecodable_event", "new_schema", "duplicate_event"])
async def test_order_is_found_once_whatever_becomes_of_its_change_event(
    driver: PortalDriver, processes: Processes, settings: Settings, switch: str
) -> None:
    # Without the fulfilment event, so that nothing but the change event can tell.
    deaf = settings.model_copy(update={"sf_provision_event_channel": ""})
    processes.start_all("worker", settings=settings)
    (listener,) = processes.start_all("listener", settings=deaf)
    bought = await driver.reviewed_orders(1)
    await driver.set_faults("pubsub", special={switch: -1})
    await driver.approve(bought[0][1])
    await driver.expect_all_active_once(bought)
    assert listener.is_alive()


async def test_full_reconcile_closes_every_gap_without_any_event(
    driver: PortalDriver, processes: Processes, settings: Settings
) -> None:
    processes.start_all("worker", settings=settings)
    bought = await driver.reviewed_orders(3)
    await driver.approve(bought[0][1])
    await driver.approve(bought[1][1])
    await driver.reject(bought[2][1])
    async with driver.web.database.unit_of_work() as session:
        await driver.web.queue.enqueue(session, "reconcile_all", f"reconcile-all-{uuid4()}")
    await driver.wait_for_stage(bought[2][1], "not_accepted")
    await driver.expect_all_active_once(bought[:2])
