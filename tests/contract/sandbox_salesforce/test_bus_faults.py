"""Faults of the event bus, one switch after the other."""

import grpc
import pytest

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.faults import FaultSettings
from sandbox.salesforce.bus.pubsub_errors import STATUSES
from tests.contract.sandbox_salesforce.running import Org
from tests.contract.sandbox_salesforce.subscriber import FULFILMENT, PubSubClient
from tests.contract.sandbox_salesforce.test_change_events import named, read_all
from tests.support.vendors.scripted_server import soon


def switch(org: Org, name: str, number: int = 1) -> None:
    org.faults.set("pubsub", FaultSettings(special={name: number}))


def approve(org: Org, count: int = 1) -> list[str]:
    orders = [org.order_with_item() for _ in range(count)]
    for order_id in orders:
        org.sandbox.rows.update("Order", order_id, {"Activation_Status__c": "Activating"})
    return orders


@pytest.mark.parametrize(("name", "kind"), [("gap_event", "GAP_UPDATE"), ("overflow", "GAP_OVERFLOW")])
async def test_change_becomes_a_gap_of_header_and_ids(org: Org, pubsub: PubSubClient, name: str, kind: str) -> None:
    account_id = org.sandbox.rows.create("Account", {"Name": "Sato"})
    switch(org, name)

    org.sandbox.rows.update("Account", account_id, {"Phone": "9"})

    body = (await read_all(pubsub, "/data/AccountChangeEvent", 2))[1][0]
    head = body.pop("ChangeEventHeader")
    assert (head["changeType"], head["sequenceNumber"], head["changedFields"]) == (kind, 1, [])
    assert head["recordIds"] == (["000000000000000AAA"] if name == "overflow" else [account_id])
    assert set(body.values()) == {None}


async def test_equal_changes_of_one_transaction_are_one_event(org: Org, pubsub: PubSubClient) -> None:
    ids = [org.sandbox.rows.create("Account", {"Name": name}) for name in "AB"]
    with org.sandbox.rows.unit():
        for account_id in ids:
            org.sandbox.rows.update("Account", account_id, {"Phone": "9"})

    events = await read_all(pubsub, "/data/AccountChangeEvent", 3)

    assert events[2][0]["ChangeEventHeader"]["recordIds"] == ids


async def test_new_schema_has_a_new_id_and_the_old_one_stays_known(org: Org, pubsub: PubSubClient) -> None:
    account_id = org.sandbox.rows.create("Account", {"Name": "Sato"})
    switch(org, "new_schema")
    org.sandbox.rows.update("Account", account_id, {"Phone": "9"})

    (before, old), (after, new) = await read_all(pubsub, "/data/AccountChangeEvent", 2)

    schema = await pubsub.schema(new.event.schema_id)
    assert old.event.schema_id != new.event.schema_id
    assert (before["Name"], after["Phone"]) == ("Sato", "9")
    assert named(schema, after["ChangeEventHeader"]["changedFields"]) == {"Phone", "LastModifiedDate"}


async def test_lost_event_is_never_delivered(org: Org, pubsub: PubSubClient) -> None:
    switch(org, "lose_event")
    org.sandbox.rows.create("Account", {"Name": "lost"})
    org.sandbox.rows.create("Account", {"Name": "kept"})

    ((body, _),) = await read_all(pubsub, "/data/AccountChangeEvent", 1)

    assert body["Name"] == "kept"


async def test_undecodable_event_is_followed_by_a_good_one(org: Org, pubsub: PubSubClient) -> None:
    switch(org, "undecodable_event")
    orders = approve(org, 2)
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)

    events = await stream.events(1)
    stream.call.cancel()

    assert (await pubsub.decoded(events[0]))["OrderId__c"] in orders


async def test_reset_log_voids_every_replay_id(org: Org, pubsub: PubSubClient) -> None:
    approve(org)
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)
    (event,) = await stream.events(1)
    switch(org, "reset_stream")

    cut = await stream.refusal()
    refused = await (await pubsub.subscribe(replay_preset=pb.CUSTOM, replay_id=event.replay_id)).refusal()

    assert (cut[1], refused[1]) == ("service.unavailable", "subscription.fetch.replayid.corrupted")


async def test_ended_stream_is_no_error(org: Org, pubsub: PubSubClient) -> None:
    switch(org, "end_stream")

    assert await (await pubsub.subscribe()).read() is grpc.aio.EOF


async def test_single_events_come_one_by_one(org: Org, pubsub: PubSubClient) -> None:
    switch(org, "single_events", -1)
    approve(org, 2)
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)

    answers = [await stream.read(), await stream.read()]
    stream.call.cancel()

    assert [len(answer.events) for answer in answers] == [1, 1]


async def test_silent_bus_withholds_events_until_it_speaks(org: Org, pubsub: PubSubClient) -> None:
    switch(org, "silence", -1)
    approve(org)
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)

    with pytest.raises(TimeoutError):
        await stream.quick_read()


async def test_goaway_closes_connections_and_the_bus_comes_back(org: Org, pubsub: PubSubClient) -> None:
    switch(org, "goaway")

    assert (await (await pubsub.subscribe()).refusal())[0] == grpc.StatusCode.UNAVAILABLE

    async def is_back() -> bool:
        topic = pb.TopicRequest(topic_name=FULFILMENT)
        try:
            return (await pubsub.stub.GetTopic(topic, metadata=pubsub.metadata, wait_for_ready=True)).can_subscribe
        except grpc.aio.AioRpcError:
            return False  # the connection that is being closed

    await soon(is_back, 20)


async def test_spent_deliveries_close_the_stream(org: Org, pubsub: PubSubClient) -> None:
    switch(org, "delivery_limit", -1)

    refused = await (await pubsub.subscribe()).refusal()

    assert refused == (grpc.StatusCode.RESOURCE_EXHAUSTED, "subscription.limit.exceeded")


@pytest.mark.parametrize("code", sorted(STATUSES))
async def test_every_error_code_can_be_asked_for(org: Org, pubsub: PubSubClient, code: str) -> None:
    switch(org, f"error:{code}")

    assert await (await pubsub.subscribe()).refusal() == (STATUSES[code], code)


async def test_open_stream_ends_with_the_code_and_status_asked_for(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    await stream.read()
    switch(org, "error:service.unavailable/INTERNAL")

    assert await stream.refusal() == (grpc.StatusCode.INTERNAL, "service.unavailable")
