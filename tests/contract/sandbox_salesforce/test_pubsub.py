"""Topics, schemas, subscriptions with credits and replay, publishing."""

import asyncio
import io
import re
from datetime import timedelta
from typing import Any

import fastavro
import grpc
import httpx
import pytest

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.faults import FaultSettings
from tests.contract.sandbox_salesforce.running import Org
from tests.contract.sandbox_salesforce.subscriber import ANSWER_SECONDS, FULFILMENT, PubSubClient, refusal_of


def publish(org: Org, count: int = 1) -> None:
    """Approve so many orders, each of which asks for its fulfilment."""
    for _ in range(count):
        order_id = org.order_with_item()
        org.sandbox.rows.update("Order", order_id, {"Activation_Status__c": "Activating"})


async def test_topic_and_schema_tell_what_the_event_holds(pubsub: PubSubClient) -> None:
    topic = await pubsub.stub.GetTopic(pb.TopicRequest(topic_name=FULFILMENT), metadata=pubsub.metadata)
    schema = await pubsub.schema(topic.schema_id)

    assert (topic.can_subscribe, topic.can_publish) == (True, True)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", topic.schema_id)
    names = [field["name"] for field in schema["fields"]]
    assert names[:3] == ["CreatedDate", "CreatedById", "OrderId__c"]
    assert schema["namespace"] == "com.sforce.eventbus"


async def test_approval_over_rest_reaches_the_latest_subscriber(
    org: Org, api: httpx.AsyncClient, pubsub: PubSubClient
) -> None:
    publish(org)
    order_id = org.order_with_item()
    stream = await pubsub.subscribe()
    await stream.read()

    answer = await api.patch(f"/sobjects/Order/{order_id}", json={"Activation_Status__c": "Activating"})
    (event,) = await stream.events(1)

    payload = await pubsub.decoded(event)
    assert answer.status_code == 204
    assert payload["OrderId__c"] == order_id
    assert payload["Version__c"] == 1
    assert payload["RequestedBy__c"] == org.settings.sf_username
    assert payload["IdemKey__c"] and payload["CorrelationId__c"]
    assert len(event.replay_id) == 10
    stream.call.cancel()


async def test_rolled_back_approval_publishes_nothing(org: Org, api: httpx.AsyncClient, pubsub: PubSubClient) -> None:
    order_id = org.order_with_item()
    base = f"/services/data/v62.0/sobjects/Order/{order_id}"
    parts = [
        {"method": "PATCH", "url": base, "referenceId": "a", "body": {"Activation_Status__c": "Activating"}},
        {"method": "PATCH", "url": base, "referenceId": "b", "body": {"Status": "Odd"}},
    ]
    await api.post("/composite", json={"allOrNone": True, "compositeRequest": parts})

    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)

    assert list((await stream.read()).events) == []
    stream.call.cancel()


async def test_earliest_starts_at_the_beginning_and_custom_after_the_given_event(
    org: Org, pubsub: PubSubClient
) -> None:
    publish(org, 3)
    first_stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)
    events = await first_stream.events(3)
    first_stream.call.cancel()

    stream = await pubsub.subscribe(replay_preset=pb.CUSTOM, replay_id=events[0].replay_id)
    later = await stream.events(2)
    stream.call.cancel()

    ids = [event.replay_id for event in events]
    numbers = [int.from_bytes(replay_id[:8], "big") for replay_id in ids]
    assert [event.replay_id for event in later] == ids[1:]
    assert numbers == sorted(set(numbers))
    assert len({event.event.id for event in events}) == 3


async def test_keepalive_carries_a_position_to_resume_from(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe(num_requested=7)
    quiet = await stream.read()
    stream.call.cancel()
    publish(org)

    resumed = await pubsub.subscribe(replay_preset=pb.CUSTOM, replay_id=quiet.latest_replay_id)
    events = await resumed.events(1)
    resumed.call.cancel()

    assert (list(quiet.events), quiet.pending_num_requested) == ([], 7)
    assert quiet.rpc_id
    assert len(events) == 1


async def test_no_more_is_delivered_than_was_asked_for(org: Org, pubsub: PubSubClient) -> None:
    publish(org, 4)
    stream = await pubsub.subscribe(num_requested=3, replay_preset=pb.EARLIEST)

    events, pending = [], 3
    while pending:
        answer = await stream.read()
        events += answer.events
        pending = answer.pending_num_requested
    await stream.call.write(pb.FetchRequest(num_requested=5))
    more = await stream.events(1)
    stream.call.cancel()

    assert (len(events), len(more)) == (3, 1)


async def test_credits_are_capped_at_a_hundred(pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe(num_requested=80)
    await stream.call.write(pb.FetchRequest(num_requested=80))
    await stream.read()

    answer = await stream.read()

    assert answer.pending_num_requested == 100
    stream.call.cancel()


async def test_a_stream_without_credits_is_closed_without_an_error(org: Org, pubsub: PubSubClient) -> None:
    publish(org)
    stream = await pubsub.subscribe(num_requested=1, replay_preset=pb.EARLIEST)

    while await stream.read() is not grpc.aio.EOF:
        pass

    assert await stream.call.code() == grpc.StatusCode.OK


async def test_client_closing_its_side_ends_the_stream(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    await stream.read()
    assert org.sandbox.active_subscribers == 1

    await stream.call.done_writing()
    while await stream.read() is not grpc.aio.EOF:
        pass

    assert org.sandbox.active_subscribers == 0


@pytest.mark.parametrize(
    ("first", "status", "code"),
    [
        ({"topic": "/event/Nothing__e"}, grpc.StatusCode.NOT_FOUND, "topic.not.found"),
        ({"topic": "/data/ContactChangeEvent"}, grpc.StatusCode.NOT_FOUND, "topic.not.found"),
        ({"topic": ""}, grpc.StatusCode.INVALID_ARGUMENT, "topic.validation.empty"),
        (
            {"num_requested": 0},
            grpc.StatusCode.INVALID_ARGUMENT,
            "subscription.fetch.requested.events.invalid",
        ),
        (
            {"replay_preset": pb.CUSTOM},
            grpc.StatusCode.INVALID_ARGUMENT,
            "subscription.fetch.replayid.validation.failed",
        ),
        (
            {"replay_preset": pb.CUSTOM, "replay_id": b"12"},
            grpc.StatusCode.INVALID_ARGUMENT,
            "subscription.fetch.replayid.corrupted",
        ),
    ],
)
async def test_wrong_first_request_is_refused(
    pubsub: PubSubClient, first: dict[str, Any], status: grpc.StatusCode, code: str
) -> None:
    stream = await pubsub.subscribe(**first)

    assert await stream.refusal() == (status, code)


async def test_changing_the_topic_midstream_is_refused(pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    await stream.call.write(pb.FetchRequest(topic_name="/data/ChangeEvents", num_requested=1))

    assert await stream.refusal() == (grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.topic.mismatch")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"accesstoken": "nonsense"}, "service.auth.error"),
        ({"tenantid": "00Dxx0000000009"}, "service.auth.error"),
        ({"tenantid": ""}, "service.auth.headers.invalid"),
        ({"instanceurl": "http://127.0.0.1/"}, "service.auth.headers.invalid"),
    ],
)
async def test_wrong_metadata_is_unauthenticated(pubsub: PubSubClient, changed: dict[str, str], code: str) -> None:
    metadata = tuple((dict(pubsub.metadata) | changed).items())

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await pubsub.stub.GetTopic(pb.TopicRequest(topic_name=FULFILMENT), metadata=metadata)

    assert refusal_of(caught.value) == (grpc.StatusCode.UNAUTHENTICATED, code)


async def test_established_stream_outlives_its_token(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    await stream.read()

    org.clock.advance(timedelta(hours=3))
    publish(org)

    assert len(await stream.events(1)) == 1
    with pytest.raises(grpc.aio.AioRpcError):
        await pubsub.stub.GetTopic(pb.TopicRequest(topic_name=FULFILMENT), metadata=pubsub.metadata)
    stream.call.cancel()


async def test_events_age_away_after_72_hours(org: Org, pubsub: PubSubClient) -> None:
    publish(org)
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)
    (event,) = await stream.events(1)
    stream.call.cancel()
    org.clock.advance(timedelta(hours=73))
    async with PubSubClient(org, await org.token()) as later:
        aged = await later.subscribe(replay_preset=pb.CUSTOM, replay_id=event.replay_id)
        code = (await aged.refusal())[1]
        empty = await later.subscribe(replay_preset=pb.EARLIEST)
        answer = await empty.read()
        empty.call.cancel()

    assert code == "subscription.fetch.replayid.corrupted"
    assert list(answer.events) == []


async def test_published_event_is_delivered_under_its_own_id(org: Org, pubsub: PubSubClient) -> None:
    topic = await pubsub.stub.GetTopic(pb.TopicRequest(topic_name=FULFILMENT), metadata=pubsub.metadata)
    schema = fastavro.parse_schema(await pubsub.schema(topic.schema_id))
    out = io.BytesIO()
    record = {"CreatedDate": 1_780_000_000_000, "CreatedById": "005xx000001SwiUAAS", "OrderId__c": "801"}
    fastavro.schemaless_writer(out, schema, record)
    good = pb.ProducerEvent(id="mine", schema_id=topic.schema_id, payload=out.getvalue())
    bad = pb.ProducerEvent(id="other", schema_id="unknown", payload=b"x")

    request = pb.PublishRequest(topic_name=FULFILMENT, events=[good, bad])
    answer = await pubsub.stub.Publish(request, metadata=pubsub.metadata)
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)
    (event,) = await stream.events(1)
    stream.call.cancel()

    assert [result.correlation_key for result in answer.results] == ["mine", "other"]
    assert answer.results[0].replay_id == event.replay_id
    assert answer.results[1].error.code == pb.PUBLISH
    assert event.event.id == "mine"
    assert (await pubsub.decoded(event))["OrderId__c"] == "801"


async def test_publish_stream_answers_each_request(pubsub: PubSubClient) -> None:
    topic = await pubsub.stub.GetTopic(pb.TopicRequest(topic_name=FULFILMENT), metadata=pubsub.metadata)
    event = pb.ProducerEvent(id="a", schema_id=topic.schema_id, payload=b"")
    call = pubsub.stub.PublishStream(metadata=pubsub.metadata)

    for _ in range(2):
        await call.write(pb.PublishRequest(topic_name=FULFILMENT, events=[event]))
        answer = await asyncio.wait_for(call.read(), ANSWER_SECONDS)
        assert len(answer.results) == 1
    await call.done_writing()


async def test_change_topics_cannot_be_published_to(pubsub: PubSubClient) -> None:
    request = pb.PublishRequest(topic_name="/data/ChangeEvents", events=[pb.ProducerEvent(id="a")])

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await pubsub.stub.Publish(request, metadata=pubsub.metadata)

    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_event_posted_over_rest_is_enqueued_and_delivered(api: httpx.AsyncClient, pubsub: PubSubClient) -> None:
    answer = await api.post("/sobjects/Order_Fulfilment_Requested__e/", json={"OrderId__c": "801", "Version__c": 1})
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)
    (event,) = await stream.events(1)
    stream.call.cancel()

    body = answer.json()
    assert (answer.status_code, body["success"]) == (201, True)
    assert body["errors"] == [{"statusCode": "OPERATION_ENQUEUED", "message": event.event.id, "fields": []}]


async def test_bus_that_goes_down_cuts_streams_and_refuses_new_ones(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    await stream.read()

    org.faults.set("pubsub", FaultSettings(down=True))
    cut = await stream.refusal()
    refused = await (await pubsub.subscribe()).refusal()

    assert cut == refused == (grpc.StatusCode.UNAVAILABLE, "service.unavailable")


async def test_dropped_stream_has_no_trailers(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    org.faults.set("pubsub", FaultSettings(special={"drop_stream": 1}))

    assert await stream.refusal() == (grpc.StatusCode.UNAVAILABLE, "")


async def test_duplicate_event_has_the_same_id_and_another_position(org: Org, pubsub: PubSubClient) -> None:
    org.faults.set("pubsub", FaultSettings(special={"duplicate_event": -1}))
    publish(org)
    stream = await pubsub.subscribe(replay_preset=pb.EARLIEST)

    first, second = await stream.events(2)

    assert first.event == second.event
    assert first.replay_id != second.replay_id
    stream.call.cancel()


async def test_good_replay_id_can_be_declared_corrupted(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    quiet = await stream.read()
    stream.call.cancel()
    org.faults.set("pubsub", FaultSettings(special={"replay_corrupted": 1}))

    refused = await pubsub.subscribe(replay_preset=pb.CUSTOM, replay_id=quiet.latest_replay_id)

    assert (await refused.refusal())[1] == "subscription.fetch.replayid.corrupted"


async def test_keepalive_never_runs_ahead_of_what_was_delivered(org: Org, pubsub: PubSubClient) -> None:
    publish(org, 2)
    stream = await pubsub.subscribe(num_requested=1, replay_preset=pb.EARLIEST)

    seen = [await stream.read()]
    while (answer := await stream.read()) is not grpc.aio.EOF:
        seen.append(answer)
    resumed = await pubsub.subscribe(replay_preset=pb.CUSTOM, replay_id=seen[-1].latest_replay_id)

    assert len(await resumed.events(1)) == 1
    resumed.call.cancel()


async def test_reset_of_the_org_cuts_streams_and_voids_replay_ids(org: Org, pubsub: PubSubClient) -> None:
    stream = await pubsub.subscribe()
    quiet = await stream.read()

    org.store.reset()
    publish(org, 3)

    assert await stream.refusal() == (grpc.StatusCode.UNAVAILABLE, "service.unavailable")
    async with PubSubClient(org, await org.token()) as later:
        resumed = await later.subscribe(replay_preset=pb.CUSTOM, replay_id=quiet.latest_replay_id)
        assert (await resumed.refusal())[1] == "subscription.fetch.replayid.corrupted"


async def test_managed_subscription_goes_on_after_what_was_committed(org: Org, pubsub: PubSubClient) -> None:
    publish(org, 2)
    first = pubsub.stub.ManagedSubscribe(metadata=pubsub.metadata)
    await first.write(pb.ManagedFetchRequest(developer_name="Managed_Fulfilment", num_requested=3))
    events = (await first.read()).events
    request = pb.CommitReplayRequest(commit_request_id="c1", replay_id=events[0].replay_id)
    await first.write(pb.ManagedFetchRequest(commit_replay_id_request=request))
    answer = await first.read()
    while not answer.HasField("commit_response"):
        # The stream may say in between that there are no events.
        answer = await first.read()
    committed = answer.commit_response
    first.cancel()
    while org.sandbox.active_subscribers:
        await asyncio.sleep(0.01)

    again = pubsub.stub.ManagedSubscribe(metadata=pubsub.metadata)
    await again.write(pb.ManagedFetchRequest(developer_name="Managed_Fulfilment", num_requested=1))
    (resumed,) = (await again.read()).events
    again.cancel()

    assert (len(events), committed.commit_request_id, committed.HasField("error")) == (2, "c1", False)
    assert resumed.replay_id == events[1].replay_id


@pytest.mark.parametrize(
    ("name", "code"),
    [("Managed_Stopped", "config.stopped"), ("Nobody", "developer.name.not.found"), ("", "id.or.developer.name.empty")],
)
async def test_managed_subscription_that_cannot_run_is_refused(pubsub: PubSubClient, name: str, code: str) -> None:
    call = pubsub.stub.ManagedSubscribe(metadata=pubsub.metadata)
    await call.write(pb.ManagedFetchRequest(developer_name=name, num_requested=1))

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()

    assert refusal_of(refused.value)[1] == f"managed.subscription.{code}"
