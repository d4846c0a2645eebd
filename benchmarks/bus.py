"""Events per second of the Pub/Sub consumer, compared with a bare grpc.aio reader of the same server."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import grpc

from benchmarks.stage import Stage
from benchmarks.table import Row
from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.login import SalesforceLogin, SalesforceSession
from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as wire
from portal_app.integrations.salesforce.proto.pubsub_api_pb2_grpc import PubSubStub
from portal_app.integrations.salesforce.pubsub import CREDIT, SalesforceEventStream
from sandbox.keys import Keys
from sandbox.salesforce.bus import avro

TOPIC = "/event/Order_Fulfilment_Requested__e"
SCHEMA = avro.event_schema("Order_Fulfilment_Requested__e")
SECONDS = 2.0
ROUNDS = 5
LEAST = 0.5


def measure(stage: Stage) -> list[Row]:
    """Read as fast as possible: single events, as a quiet org sends them, and batches, as after a pause."""
    rows: list[Row] = []
    for size in (1, 25):
        ours, bare = _rates(stage.scratch / f"bus{size}", size)
        goal, is_ok = f"ratio >= {LEAST}", ours >= bare * LEAST
        name = f"bus: events per second, {size} in an answer"
        rows.append(Row(name, ours, "events/s", "bare reader", bare, goal=goal, is_ok=is_ok))
    return rows


def _rates(home: Path, size: int) -> tuple[float, float]:
    keys = Keys(home)
    keys.ensure()
    command = [sys.executable, "-m", "benchmarks.bus", str(home), str(size)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = int((server.stdout or sys.stdin).readline())
        return asyncio.run(_read_in_turn(f"localhost:{port}", keys.ca))
    finally:
        server.terminate()
        server.wait(10)


async def _read_in_turn(endpoint: str, authority: Path) -> tuple[float, float]:
    ours, bare = 0.0, 0.0
    for _ in range(ROUNDS):
        ours = max(ours, await _ours(endpoint, authority))
        bare = max(bare, await _bare(endpoint, authority))
    return ours, bare


class _SignedIn(SalesforceLogin):
    """A login with an existing session."""

    async def session(self) -> SalesforceSession:
        """Return the session."""
        return SalesforceSession("token", "https://instance", "00Dxx0000000001EAA")


async def _ours(endpoint: str, authority: Path) -> float:
    settings = Settings(portal_env="development", sf_pubsub_endpoint=endpoint, sf_pubsub_ca_file=str(authority))
    stream = SalesforceEventStream(settings, _SignedIn(settings, vendor_client(timeout=5)))
    count, began = 0, time.perf_counter()
    async with aclosing(stream.batches(TOPIC, after=None)) as batches:
        async for batch in batches:
            count += len(batch.events)
            if any(event.undecodable for event in batch.events):
                raise SystemExit("an event was not decoded")
            if time.perf_counter() - began > SECONDS:
                break
    await stream.aclose()
    return count / (time.perf_counter() - began)


async def _bare(endpoint: str, authority: Path) -> float:
    """Read responses and request more by the same rule as the consumer, without decoding."""
    count, outstanding, began = 0, CREDIT, time.perf_counter()
    credentials = grpc.ssl_channel_credentials(authority.read_bytes())  # noqa: ASYNC240  once, before the loop has work
    async with grpc.aio.secure_channel(endpoint, credentials) as channel:
        call = PubSubStub(channel).Subscribe()  # type: ignore[no-untyped-call]
        await call.write(wire.FetchRequest(topic_name=TOPIC, num_requested=CREDIT))
        while time.perf_counter() - began < SECONDS:
            answer = await call.read()
            count += len(answer.events)
            outstanding -= len(answer.events)
            if outstanding <= CREDIT // 2:
                await call.write(wire.FetchRequest(num_requested=CREDIT - outstanding))
                outstanding = CREDIT
        call.cancel()
    return count / (time.perf_counter() - began)


class _Firehose:
    """A server that sends prepared responses as fast as flow control allows."""

    def __init__(self, size: int) -> None:
        values = {"CreatedDate": 1_700_000_000_000, "CreatedById": "005xx000001SwiUAAS", "Version__c": 1.0}
        payload = avro.encode(SCHEMA, values | {"OrderId__c": "801xx0000000001AAA", "IdemKey__c": "x" * 36})
        event = wire.ProducerEvent(id="0" * 36, schema_id=avro.schema_id(SCHEMA), payload=payload)
        events = [wire.ConsumerEvent(event=event, replay_id=bytes(10)) for _ in range(size)]
        self._size = size
        self._answer = wire.FetchResponse(events=events, latest_replay_id=bytes(10)).SerializeToString()

    async def subscribe(self, requests: AsyncIterator[wire.FetchRequest], _context: Any) -> AsyncIterator[bytes]:
        """Send as many events as requested."""
        credit = 0
        async for request in requests:
            credit += request.num_requested
            while credit >= self._size:
                credit -= self._size
                yield self._answer

    async def schema(self, request: wire.SchemaRequest, _context: Any) -> bytes:
        """Return the only schema."""
        return wire.SchemaInfo(schema_json=avro.schema_json(SCHEMA), schema_id=request.schema_id).SerializeToString()


async def _serve(home: Path, size: int) -> None:
    keys, source = Keys(home), _Firehose(size)
    server = grpc.aio.server()
    handlers = {
        "Subscribe": grpc.stream_stream_rpc_method_handler(source.subscribe, wire.FetchRequest.FromString),
        "GetSchema": grpc.unary_unary_rpc_method_handler(source.schema, wire.SchemaRequest.FromString),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("eventbus.v1.PubSub", handlers),))
    pair = (keys.server_key.read_bytes(), keys.server.read_bytes())
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair]))
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
