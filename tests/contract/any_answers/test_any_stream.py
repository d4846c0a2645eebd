"""Any messages of the event bus in any order: a read ends in time, is not retried and raises only our errors."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal_app.domain.errors import ExternalUnavailable, PortalError
from portal_app.domain.ports.event_stream import PositionLost, StreamBatch
from portal_app.infra.settings import Settings
from portal_app.integrations.http import vendor_client
from portal_app.integrations.salesforce.login import SalesforceLogin
from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as wire
from portal_app.integrations.salesforce.pubsub import SalesforceEventStream
from sandbox.keys import Keys
from sandbox.salesforce.bus import avro
from tests.support.generated import examples
from tests.support.vendors.keys import new_key
from tests.support.vendors.scripted_server import http, scripted_server
from tests.support.waiting import LONGEST_SECONDS

TOPIC = "/event/Order_Fulfilment_Requested__e"
SCHEMA = avro.event_schema("Order_Fulfilment_Requested__e")
GOOD = avro.encode(
    SCHEMA,
    {"CreatedDate": 1_700_000_000_000, "CreatedById": "005xx000001SwiUAAS", "Version__c": 1.0,
     "OrderId__c": "801xx0000000001AAA", "IdemKey__c": "key"},
)  # fmt: skip
QUIET, TIME_LIMIT, SLACK = 0.3, 0.3, 3.0
KNOWN = wire.SchemaInfo(schema_json=avro.schema_json(SCHEMA)).SerializeToString()
NOTHING, SILENCE = b"nothing", b"silence"


@dataclass(frozen=True)
class Ends:
    """The server ends the call with a status and trailers."""

    code: grpc.StatusCode
    trailers: tuple[tuple[str, str], ...] = ()


def fetched(payloads: Sequence[bytes], schema_id: str, event_id: str, replay_id: bytes) -> bytes:
    events = [
        wire.ConsumerEvent(
            event=wire.ProducerEvent(id=event_id, schema_id=schema_id, payload=payload), replay_id=replay_id
        )
        for payload in payloads
    ]
    return wire.FetchResponse(events=events, latest_replay_id=replay_id).SerializeToString()


ENDS = st.builds(
    Ends,
    st.sampled_from([code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]),
    st.sampled_from([
        (), (("error-code", "sfdc.platform.eventbus.grpc.service.auth.error"),), (("rpc-id", "x"),),
        (("error-code", "sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted"),),
        (("error-code", "sfdc.platform.eventbus.grpc.topic.not.found"),), (("error-code", "?"), ("error-code", "!")),
    ]),
)  # fmt: skip
FETCHED = st.builds(
    fetched,
    st.lists(st.sampled_from([GOOD, b"", b"\xff" * 7, GOOD[:-3], b"\x02" * 100]), max_size=3),
    st.sampled_from(["known", "odd", ""]),
    st.sampled_from(["event", ""]),
    st.binary(max_size=12),
)
ANSWERS = st.one_of(FETCHED, FETCHED, ENDS, st.sampled_from([NOTHING, SILENCE, b"\xff\xfe no message", b"\x0a\x05x"]))
SCHEMAS = st.one_of(
    ENDS,
    st.sampled_from([SILENCE, b"\xff\xfe no message"]),
    st.sampled_from(["", "{", "null", "[]", '"no such type"', '{"type": "record"}', "[" * 5000]).map(
        lambda text: wire.SchemaInfo(schema_json=text).SerializeToString()
    ),
)


@dataclass
class Bus:
    """A server that sends scripted answers byte by byte and counts its calls."""

    keys: Keys
    endpoint: str = ""
    answers: Sequence[bytes | Ends] = ()
    schema: bytes | Ends = b""
    first_refusal: Ends | None = None
    subscribed: int = 0
    asked: list[int] = field(default_factory=list)

    async def subscribe(self, requests: AsyncIterator[wire.FetchRequest], context: Any) -> AsyncIterator[bytes]:
        self.subscribed += 1
        self.asked.append((await anext(aiter(requests))).num_requested)
        for answer in self.answers:
            yield await _said(answer, context)

    async def get_schema(self, request: wire.SchemaRequest, context: Any) -> bytes:
        if request.schema_id == "known":
            return KNOWN
        if self.first_refusal:
            refusal, self.first_refusal = self.first_refusal, None
            return await _said(refusal, context)
        return await _said(self.schema, context)


async def _said(answer: bytes | Ends, context: Any) -> bytes:
    if isinstance(answer, Ends):
        context.set_trailing_metadata(answer.trailers)
        await context.abort(answer.code, "told to")
    if answer == SILENCE:
        await asyncio.Event().wait()
    return b"" if answer == NOTHING else answer


@asynccontextmanager
async def running_bus(keys: Keys) -> AsyncIterator[Bus]:
    bus, server = Bus(keys), grpc.aio.server()
    handlers = {
        "Subscribe": grpc.stream_stream_rpc_method_handler(bus.subscribe, wire.FetchRequest.FromString),
        "GetSchema": grpc.unary_unary_rpc_method_handler(bus.get_schema, wire.SchemaRequest.FromString),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("eventbus.v1.PubSub", handlers),))
    pair = (keys.server_key.read_bytes(), keys.server.read_bytes())
    bus.endpoint = f"localhost:{server.add_secure_port('localhost:0', grpc.ssl_server_credentials([pair]))}"
    await server.start()
    try:
        yield bus
    finally:
        await server.stop(None)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    own = Keys(tmp_path_factory.mktemp("bus"))
    own.ensure()
    return own


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("key"))


@pytest.mark.examples
@settings(**examples(10))
@given(answers=st.lists(ANSWERS, max_size=4), schema=SCHEMAS, login_works=st.sampled_from([True, True, True, False]))
async def test_reading_ends_in_time_asks_once_and_raises_only_our_errors(
    keys: Keys, key_file: Path, answers: list[bytes | Ends], schema: bytes | Ends, login_works: bool
) -> None:
    await try_stream(keys, key_file, answers, schema, login_works=login_works)


async def test_a_malformed_message_ends_the_stream_and_loses_no_earlier_event(keys: Keys, key_file: Path) -> None:
    good = fetched([GOOD], "known", "event", b"\x01")
    batches, error = await try_stream(keys, key_file, [good, b"\xff\xfe no message", good], SILENCE, login_works=True)
    assert [event.payload["IdemKey__c"] for batch in batches for event in batch.events] == ["key"]
    assert isinstance(error, PortalError) and error.retryable


async def test_a_schema_that_never_comes_is_given_up(keys: Keys, key_file: Path) -> None:
    batches, error = await try_stream(
        keys, key_file, [fetched([GOOD], "odd", "event", b"\x01")], SILENCE, login_works=True
    )
    assert batches == [] and isinstance(error, ExternalUnavailable)


async def test_a_session_that_ends_in_mid_stream_is_renewed_for_a_new_schema(keys: Keys, key_file: Path) -> None:
    expired = Ends(grpc.StatusCode.UNAUTHENTICATED, (("error-code", "sfdc.platform.eventbus.grpc.service.auth.error"),))
    answers = [fetched([GOOD], "odd", "event", b"\x01")]
    batches, _ = await try_stream(keys, key_file, answers, KNOWN, login_works=True, first_refusal=expired)
    assert [event.undecodable for batch in batches for event in batch.events] == [False]


async def test_an_event_without_a_position_does_not_move_past_the_one_before(keys: Keys, key_file: Path) -> None:
    answer = wire.FetchResponse.FromString(fetched([GOOD, GOOD], "known", "event", b"\x01"))
    answer.events[1].ClearField("replay_id")
    answer.latest_replay_id = b"\x09"
    nothing = wire.FetchResponse(latest_replay_id=b"\x09")
    batches, _ = await try_stream(
        keys, key_file, [answer.SerializeToString(), nothing.SerializeToString()], SILENCE, login_works=True
    )
    assert [batch.replay_id for batch in batches] == [b"\x01", b"\x09"]


async def try_stream(
    keys: Keys,
    key_file: Path,
    answers: Sequence[bytes | Ends],
    schema: bytes | Ends,
    *,
    login_works: bool,
    first_refusal: Ends | None = None,
) -> tuple[list[StreamBatch], PortalError | PositionLost | None]:
    """Read one stream to its end and check what must hold whatever was sent; return what came of it."""
    async with scripted_server() as login_server, running_bus(keys) as bus:
        identity = "https://login/id/00Dxx0000000001EAA/005xx"
        token = {"access_token": "00D!x", "instance_url": login_server.url, "id": identity}
        login_server.script(http(token) if login_works else http({"error": "invalid_grant"}, 400))
        bus.answers, bus.schema, bus.first_refusal = answers, schema, first_refusal
        own = Settings(
            portal_env="development", sf_login_url=login_server.url, sf_private_key_file=str(key_file),
            sf_pubsub_endpoint=bus.endpoint, sf_pubsub_ca_file=str(keys.ca),
        )  # fmt: skip
        login = SalesforceLogin(own, vendor_client(timeout=1))
        stream = SalesforceEventStream(own, login, silence=QUIET, answer_timeout=TIME_LIMIT)
        found, error, began = [], None, time.monotonic()
        try:
            async with asyncio.timeout(LONGEST_SECONDS), aclosing(stream.batches(TOPIC, after=None)) as batches:
                async for batch in batches:
                    found.append(batch)
        except (PortalError, PositionLost) as caught:
            error = caught
        # Each answer may take its own time, and each unknown schema is asked for twice at most.
        assert time.monotonic() - began < (len(answers) + 1) * (QUIET + 4 * TIME_LIMIT) + SLACK
        await login.aclose()
        assert bus.subscribed == int(login_works)
    return found, error
