"""The event bus over gRPC and TLS, answered by the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from redis.asyncio import Redis

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable
from portal_app.domain.ports.event_stream import PositionLost, StreamBatch, StreamEvent
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.client import Part, SalesforceClient
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as wire
from portal_app.integrations.salesforce.proto.pubsub_api_pb2_grpc import PubSubStub
from portal_app.integrations.salesforce.pubsub import SalesforceEventStream
from portal_app.integrations.throttling.call_limits import CallLimits
from portal_app.integrations.throttling.limiter import VendorLimiter
from portal_app.integrations.throttling.vendor_call import VendorCall
from sandbox.faults import FaultSettings
from tests.support.running.gate import gate_to
from tests.support.running.vendor_servers import RunningSandbox
from tests.support.waiting import LONGEST_SECONDS

TOPIC = "/event/Order_Fulfilment_Requested__e"


class Bench:
    """A stream under test, and the client that publishes events."""

    def __init__(self, sandbox: RunningSandbox, redis: Redis) -> None:
        self.sandbox = sandbox
        self.login = SalesforceLogin(sandbox.settings, vendor_client(timeout=5, ca_file=sandbox.settings.sf_ca_file))
        limiter = VendorLimiter(redis, "bench", CallLimits(concurrency=5, rate="9000/minute", queue=50, timeout=5.0))
        self.rest = SalesforceClient(sandbox.settings, self.login, VendorCall("bench", limiter, timeout=5.0))

    def stream(
        self, *, replay: str = "LATEST", set_to: dict[str, Any] | None = None, **changes
    ) -> SalesforceEventStream:
        settings = self.sandbox.settings.model_copy(update={"sf_events_replay": replay, **(set_to or {})})
        return SalesforceEventStream(settings, self.login, **changes)

    async def publish(self, mark: str) -> None:
        body = {"OrderId__c": "801xx0000000001AAA", "IdemKey__c": mark, "Version__c": 1}
        await self.rest.composite(
            "publish", [Part("event", "POST", "sobjects/Order_Fulfilment_Requested__e", body)], safe=False
        )

    async def position(self) -> bytes:
        """Return the bus's newest position, as a reader of everything sees it."""
        mark = uuid4().hex
        await self.publish(mark)
        return (await read_until(self.stream(replay="ALL"), None, mark))[-1].replay_id

    async def close(self) -> None:
        await self.rest.aclose()
        await self.login.aclose()


async def read_until(stream: SalesforceEventStream, after: bytes | None, mark: str) -> list[StreamEvent]:
    """Read events up to the one with this mark."""
    found: list[StreamEvent] = []
    async with asyncio.timeout(LONGEST_SECONDS), aclosing(stream.batches(TOPIC, after=after)) as batches:
        async for batch in batches:
            found += batch.events
            if any(event.payload.get("IdemKey__c") == mark for event in batch.events):
                return found
    raise AssertionError("the stream ended")


async def first_of(stream: SalesforceEventStream, topic: str, after: bytes | None) -> StreamBatch:
    async with asyncio.timeout(LONGEST_SECONDS), aclosing(stream.batches(topic, after=after)) as batches:
        return await anext(batches)


def marks(events: list[StreamEvent]) -> list[str]:
    return [event.payload["IdemKey__c"] for event in events]


@pytest.fixture
async def bench(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Bench]:
    bench = Bench(sandbox, redis)
    yield bench
    await bench.close()


@pytest.fixture(autouse=True)
def healthy_salesforce(sandbox: RunningSandbox) -> Iterator[None]:
    yield
    sandbox.faults.set("pubsub", FaultSettings())
    sandbox.faults.set("salesforce", FaultSettings())


async def test_events_after_a_position_arrive_in_order_and_decoded(bench: Bench) -> None:
    after, sent = await bench.position(), [uuid4().hex for _ in range(3)]
    for mark in sent:
        await bench.publish(mark)
    events = await read_until(bench.stream(), after, sent[-1])
    assert marks(events) == sent
    assert events[0].payload["OrderId__c"] == "801xx0000000001AAA" and events[0].topic == TOPIC
    assert len({event.id for event in events}) == 3 and not any(event.undecodable for event in events)


async def test_more_events_than_were_asked_for_are_all_read_once(bench: Bench) -> None:
    after, sent = await bench.position(), [uuid4().hex for _ in range(9)]
    bench.sandbox.faults.set("pubsub", FaultSettings(special={"crowded_answers": -1}))
    for mark in sent:
        await bench.publish(mark)
    async with (
        asyncio.timeout(LONGEST_SECONDS),
        aclosing(bench.stream(credit=2).batches(TOPIC, after=after)) as batches,
    ):
        first = await anext(batch async for batch in batches if batch.events)
        assert len(first.events) == 9
        await bench.publish(last := uuid4().hex)
        found = list(first.events)
        async for batch in batches:
            found += batch.events
            if found[-1].payload["IdemKey__c"] == last:
                break
    assert marks(found) == [*sent, last]


async def test_without_a_position_only_new_events_arrive(bench: Bench) -> None:
    old, new = uuid4().hex, uuid4().hex
    await bench.publish(old)
    reading = asyncio.create_task(read_until(bench.stream(), None, new))
    while not reading.done():
        await bench.publish(new)
        await asyncio.sleep(0.1)
    assert old not in marks(await reading)


async def test_without_a_position_all_retained_events_arrive_on_request(bench: Bench) -> None:
    old, new = uuid4().hex, uuid4().hex
    await bench.publish(old)
    await bench.publish(new)
    assert old in marks(await read_until(bench.stream(replay="ALL"), None, new))


async def test_an_event_delivered_twice_keeps_its_id(bench: Bench) -> None:
    after, mark, last = await bench.position(), uuid4().hex, uuid4().hex
    bench.sandbox.faults.set("pubsub", FaultSettings(special={"duplicate_event": 1}))
    await bench.publish(mark)
    await bench.publish(last)
    first, again, _ = await read_until(bench.stream(), after, last)
    assert first.id == again.id and first.replay_id != again.replay_id


async def test_more_events_than_credit_arrive_as_the_consumer_comes_back(bench: Bench) -> None:
    after, sent = await bench.position(), [uuid4().hex for _ in range(9)]
    for mark in sent:
        await bench.publish(mark)
    assert marks(await read_until(bench.stream(credit=2), after, sent[-1])) == sent


async def test_a_change_event_names_the_fields_that_changed(bench: Bench) -> None:
    account = (await bench.rest.query("SELECT Id FROM Account LIMIT 1"))[0]["Id"]
    stream, topic = bench.stream(replay="ALL"), "/data/AccountChangeEvent"
    mark = uuid4().hex[:20]
    await bench.rest.update("Account", account, {"Phone": mark})
    async with asyncio.timeout(LONGEST_SECONDS), aclosing(stream.batches(topic, after=None)) as batches:
        async for batch in batches:
            found = [event for event in batch.events if event.payload.get("Phone") == mark]
            if found:
                break
    header = found[0].payload["ChangeEventHeader"]
    assert (header["entityName"], header["changeType"], header["recordIds"]) == ("Account", "UPDATE", [account])
    assert "Phone" in header["changedFields"] and "Name" not in header["changedFields"]
    assert found[0].id.startswith(f"Account:{account}:")


async def test_an_undecodable_event_is_set_aside_and_the_next_one_read(bench: Bench) -> None:
    after, last = await bench.position(), uuid4().hex
    await _publish_bytes(bench, b"\xff" * 7)
    await bench.publish(last)
    broken, good = await read_until(bench.stream(), after, last)
    assert broken.undecodable and broken.payload == {} and broken.id and broken.replay_id and broken.schema_id
    assert good.payload["IdemKey__c"] == last


@pytest.mark.parametrize("code", ["NOT_FOUND", "INVALID_ARGUMENT"])
async def test_a_schema_that_is_not_there_yet_is_asked_for_again(bench: Bench, code: str) -> None:
    after, first, second = await bench.position(), uuid4().hex, uuid4().hex
    refusal = {f"error:schema.not.found/{code}": 1}
    bench.sandbox.faults.set("pubsub", FaultSettings(special=refusal, operations=["GetSchema"]))
    await bench.publish(first)
    async with (
        asyncio.timeout(LONGEST_SECONDS),
        aclosing(bench.stream(schema_pause=0).batches(TOPIC, after=after)) as batches,
    ):
        unread = await anext(batch async for batch in batches if batch.events)
        await bench.publish(second)
        read = await anext(batch async for batch in batches if batch.events)
    assert [event.undecodable for event in unread.events] == [True]
    assert marks(list(read.events)) == [second]


async def test_a_position_that_is_no_longer_valid_is_lost(bench: Bench) -> None:
    for position in (b"\x00" * 10, b"x", b""):
        with pytest.raises(PositionLost):
            await first_of(bench.stream(), TOPIC, position)


async def test_an_unknown_topic_is_a_permanent_error(bench: Bench) -> None:
    with pytest.raises(ExternalRejected):
        await first_of(bench.stream(), "/event/Nothing__e", None)


@pytest.mark.parametrize("faults", [FaultSettings(down=True), FaultSettings(special={"drop_stream": -1})])
async def test_a_broken_stream_is_unavailable_and_goes_on_where_it_was(bench: Bench, faults: FaultSettings) -> None:
    after, mark = await bench.position(), uuid4().hex
    stream = bench.stream()
    bench.sandbox.faults.set("pubsub", faults)
    with pytest.raises(ExternalUnavailable):
        await first_of(stream, TOPIC, after)
    bench.sandbox.faults.set("pubsub", FaultSettings())
    await bench.publish(mark)
    assert marks(await read_until(stream, after, mark)) == [mark]


async def test_an_expired_session_is_renewed_for_the_next_connection(bench: Bench) -> None:
    after, mark = await bench.position(), uuid4().hex
    await bench.publish(mark)
    dead, stream = await bench.login.session(), bench.stream()
    bench.sandbox.faults.set("salesforce", FaultSettings(special={"expire_sessions": 1}))
    await _knock(bench)
    with pytest.raises(ExternalUnavailable):
        await first_of(stream, TOPIC, after)
    assert await bench.login.session() is not dead
    assert marks(await read_until(stream, after, mark)) == [mark]


async def test_a_silent_stream_is_given_up(bench: Bench) -> None:
    after = await bench.position()
    with pytest.raises(ExternalUnavailable, match="silent"):
        await first_of(bench.stream(silence=0.3), TOPIC, after)


async def test_a_quiet_stream_goes_on_and_one_whose_line_fell_silent_is_opened_again(bench: Bench) -> None:
    with gate_to(f"//{bench.sandbox.settings.sf_pubsub_endpoint}") as (gate, way):
        set_to = {"sf_pubsub_endpoint": way.removeprefix("//"), "sf_stream_check_seconds": 0.1}
        stream = bench.stream(set_to=set_to, answer_timeout=2.0)
        after, mark = await bench.position(), uuid4().hex
        async with asyncio.timeout(LONGEST_SECONDS), aclosing(stream.batches(TOPIC, after=after)) as batches:
            reading = asyncio.ensure_future(anext(batch async for batch in batches if batch.events))
            # Longer than gRPC's own pings would be sent.
            await asyncio.wait({reading}, timeout=1)
            await bench.publish(mark)
            assert marks(list((await reading).events)) == [mark]
            gate.fall_silent()
            with pytest.raises(ExternalUnavailable, match="silent"):
                await anext(batches)
        mark = uuid4().hex
        await bench.publish(mark)
        assert mark in marks(await read_until(stream, after, mark))


async def test_a_reader_whose_cancellation_a_library_swallowed_stops_before_it_waits(bench: Bench) -> None:
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        await asyncio.wait_for(answered, 60)
        async with aclosing(bench.stream().batches(TOPIC, after=None)) as batches:
            async for _ in batches:
                pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)  # lets it begin to wait
    answered.set_result(None)
    reading.cancel()
    await asyncio.wait({reading}, timeout=LONGEST_SECONDS)
    assert reading.cancelled()


async def test_nobody_listening_is_unavailable(bench: Bench) -> None:
    settings = bench.sandbox.settings.model_copy(update={"sf_pubsub_endpoint": "127.0.0.1:1"})
    stream = SalesforceEventStream(settings, bench.login)
    with pytest.raises(ExternalUnavailable):
        await first_of(stream, TOPIC, None)


async def _knock(bench: Bench) -> None:
    """Make a call without a session, on which the sandbox ends all sessions."""
    url = f"{bench.sandbox.settings.sf_login_url}/services/data/v62.0/limits"
    async with vendor_client(timeout=5, ca_file=bench.sandbox.settings.sf_ca_file) as anybody:
        assert (await anybody.get(url)).status_code == 401


async def _publish_bytes(bench: Bench, payload: bytes) -> None:
    settings, session = bench.sandbox.settings, await bench.login.session()
    metadata = (("accesstoken", session.token), ("instanceurl", session.instance_url), ("tenantid", session.org_id))
    authority = await asyncio.to_thread(Path(settings.sf_pubsub_ca_file).read_bytes)
    credentials = grpc.ssl_channel_credentials(authority)
    async with grpc.aio.secure_channel(settings.sf_pubsub_endpoint, credentials) as channel:
        stub = PubSubStub(channel)
        schema = (await stub.GetTopic(wire.TopicRequest(topic_name=TOPIC), metadata=metadata)).schema_id
        event = wire.ProducerEvent(id=str(uuid4()), schema_id=schema, payload=payload)
        await stub.Publish(wire.PublishRequest(topic_name=TOPIC, events=[event]), metadata=metadata)
