"""Salesforce's event bus over gRPC (Pub/Sub API): implements EventStream."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import grpc
import structlog
from asgi_correlation_id import correlation_id

from portal_app.domain.errors import ExternalUnavailable, PortalError
from portal_app.domain.ports.event_stream import StreamBatch, StreamEvent
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.cancellation import raise_if_cancelled
from portal_app.integrations.salesforce.avro import EventSchema, Undecodable
from portal_app.integrations.salesforce.login import SalesforceLogin, SalesforceSession
from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as wire
from portal_app.integrations.salesforce.proto.pubsub_api_pb2_grpc import PubSubStub
from portal_app.integrations.salesforce.pubsub_errors import VENDOR, is_about_session, stream_fault

CREDIT = 50
SILENCE_SECONDS = 300.0
ANSWER_SECONDS = 10.0
SCHEMA_PAUSE_SECONDS = 10.0
_OPTIONS = (
    # A stream that is opened again gets a new connection: the old one may be the trouble.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.enable_retries", 0),
)
_log = structlog.get_logger(__name__)


class SalesforceEventStream:
    """Subscribe to topics, each over a connection of its own.

    `silence` is how long no batch may arrive before we reconnect, `answer_timeout` how long one answer may take. While
    a stream is quiet, its connection is checked with a small question. gRPC's own pings do not serve: after two of them
    without a message it holds the next ones back, and a server that gets more hangs up.
    """

    def __init__(
        self,
        settings: Settings,
        login: SalesforceLogin,
        *,
        silence: float = SILENCE_SECONDS,
        answer_timeout: float = ANSWER_SECONDS,
        credit: int = CREDIT,
        schema_pause: float = SCHEMA_PAUSE_SECONDS,
    ) -> None:
        self._settings = settings
        self._login = login
        self._silence = silence
        self._answer_timeout = answer_timeout
        self._credit = credit
        self._schema_pause = schema_pause
        self._schemas: dict[str, EventSchema] = {}
        self._schema_again_at: dict[str, float] = {}

    async def batches(self, topic: str, *, after: bytes | None) -> AsyncIterator[StreamBatch]:
        """Yield batches after a position until the server ends the connection.

        Further credit is asked for when the consumer comes back, so one that is slow is not flooded. Raises
        PositionLost, ExternalUnavailable when the stream breaks or falls silent, and ExternalRejected when the topic
        will never work (unknown, not permitted).
        """
        async with self._channel() as channel, aclosing(self._batches(_stub(channel), topic, after)) as batches:
            async for batch in batches:
                yield batch

    async def may_follow(self, topic: str) -> bool:
        """Return whether our user may subscribe to a topic. Raises as `batches` does."""
        session = await self._login.session()
        request = wire.TopicRequest(topic_name=topic)
        async with self._channel() as channel:
            try:
                found = await _stub(channel).GetTopic(
                    request, metadata=_metadata(session), timeout=self._answer_timeout
                )
            except grpc.aio.AioRpcError as error:
                raise stream_fault(topic, error.code(), error.trailing_metadata()) from error
        return bool(found.can_subscribe)

    async def _batches(self, stub: Any, topic: str, after: bytes | None) -> AsyncGenerator[StreamBatch]:
        session = await self._login.session()
        call = stub.Subscribe(metadata=_metadata(session))
        try:
            # Not wait_for, here and below: it makes a task of its own for every call.
            async with asyncio.timeout(self._answer_timeout):
                await call.write(self._first_request(topic, after))
            outstanding = self._credit
            while True:
                # A cancellation that was swallowed while a batch was stored would be missed for as long as it is quiet.
                raise_if_cancelled()
                async with asyncio.timeout(self._silence):
                    answer = await self._next(stub, topic, call)
                if answer is grpc.aio.EOF:
                    return
                if answer is None:  # grpc's result for bytes that are not a message
                    raise ExternalUnavailable(f"{topic}: unreadable", vendor=VENDOR)
                yield await self._batch(stub, topic, answer)
                # A server may send more than was requested: the count stops at zero.
                outstanding = max(0, outstanding - len(answer.events))
                if outstanding <= self._credit // 2:
                    more = wire.FetchRequest(num_requested=self._credit - outstanding)
                    async with asyncio.timeout(self._answer_timeout):
                        await call.write(more)
                    outstanding = self._credit
        except TimeoutError as error:
            raise ExternalUnavailable(f"{topic}: silent for too long", vendor=VENDOR) from error
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            raise await self._broken(topic, call, session, error) from error
        finally:
            call.cancel()

    def _channel(self) -> grpc.aio.Channel:
        # Opened late: a gRPC channel belongs to the running loop.
        return grpc.aio.secure_channel(
            self._settings.sf_pubsub_endpoint, _credentials(self._settings.sf_pubsub_ca_file), options=_OPTIONS
        )

    async def _next(self, stub: Any, topic: str, call: Any) -> Any:
        """Return the stream's next answer. Raises TimeoutError when the connection gives no sign of life."""
        reading = asyncio.ensure_future(call.read())
        try:
            while not (await asyncio.wait({reading}, timeout=self._settings.sf_stream_check_seconds))[0]:
                await self._check(stub, topic)
            return await reading
        finally:
            if not reading.cancel() and not reading.cancelled():
                reading.exception()

    async def _check(self, stub: Any, topic: str) -> None:
        request = wire.TopicRequest(topic_name=topic)
        try:
            session = await self._login.session()
            await stub.GetTopic(request, metadata=_metadata(session), timeout=self._answer_timeout)
        except PortalError as error:
            _log.debug("salesforce.stream_not_checked", topic=topic, error=type(error).__name__)
        except grpc.aio.AioRpcError as error:
            # Any answer is a sign of life; what is wrong with the topic or the session, the stream itself tells.
            if error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE):
                raise TimeoutError from error

    def _first_request(self, topic: str, after: bytes | None) -> wire.FetchRequest:
        if after is not None:
            return wire.FetchRequest(
                topic_name=topic,
                replay_preset=wire.ReplayPreset.CUSTOM,
                replay_id=after,
                num_requested=self._credit,
            )
        from_start = self._settings.sf_events_replay == "ALL"
        preset = wire.ReplayPreset.EARLIEST if from_start else wire.ReplayPreset.LATEST
        return wire.FetchRequest(topic_name=topic, replay_preset=preset, num_requested=self._credit)

    async def _batch(self, stub: Any, topic: str, answer: wire.FetchResponse) -> StreamBatch:
        events: list[StreamEvent] = []
        for received in answer.events:
            event = received.event
            schema = await self._schema(stub, event.schema_id)
            events.append(self._event(topic, event, schema, received.replay_id))
        # An event may lack a position: the latest one of the answer may be ahead of it.
        positions = (event.replay_id for event in reversed(events)) if events else (answer.latest_replay_id,)
        return StreamBatch(topic, next(filter(None, positions), b""), tuple(events))

    def _event(
        self, topic: str, event: wire.ProducerEvent, schema: EventSchema | None, replay_id: bytes
    ) -> StreamEvent:
        try:
            if schema is None:
                raise Undecodable("an unknown schema")
            payload = schema.decode(event.payload)
        except Undecodable as error:
            _log.warning("salesforce.event_undecodable", topic=topic, event_id=event.id, reason=str(error))
            own_id = event.id or f"replay:{replay_id.hex()}"
            return StreamEvent(topic, own_id, replay_id, {}, undecodable=True, schema_id=event.schema_id)
        return StreamEvent(topic, _event_id(payload, event, replay_id), replay_id, payload)

    async def _schema(self, stub: Any, schema_id: str) -> EventSchema | None:
        """Return a schema, fetched once; None while Salesforce has none, which is asked again after a pause."""
        known, now = self._schemas.get(schema_id), asyncio.get_running_loop().time()
        if known is None and now >= self._schema_again_at.get(schema_id, now):
            known = await self._fetched_schema(stub, schema_id)
            if known is None:
                self._schema_again_at[schema_id] = now + self._schema_pause
            else:
                self._schemas[schema_id] = known
        return known

    async def _fetched_schema(self, stub: Any, schema_id: str) -> EventSchema | None:
        try:
            found = await self._get_schema(stub, schema_id)
            return EventSchema(found.schema_json) if found is not None else None
        except Undecodable:
            return None
        except grpc.aio.AioRpcError as error:
            if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
                raise
            return None

    async def _get_schema(self, stub: Any, schema_id: str) -> wire.SchemaInfo | None:
        """Ask for a schema with the session alive now: an open stream outlives the session it began with."""
        session = await self._login.session()
        try:
            return await self._call_schema(stub, schema_id, session)
        except grpc.aio.AioRpcError as error:
            if not is_about_session(error.code(), error.trailing_metadata()):
                raise
        return await self._call_schema(stub, schema_id, await self._login.renew(session))

    async def _call_schema(self, stub: Any, schema_id: str, session: SalesforceSession) -> wire.SchemaInfo | None:
        request = wire.SchemaRequest(schema_id=schema_id)
        found = await stub.GetSchema(request, metadata=_metadata(session), timeout=self._answer_timeout)
        return cast(wire.SchemaInfo | None, found)

    async def _broken(self, topic: str, call: Any, session: SalesforceSession, error: Exception) -> Exception:
        if not isinstance(error, grpc.aio.AioRpcError):  # a write after the server had ended the call
            code, trailers = await call.code(), await call.trailing_metadata()
        else:
            code, trailers = error.code(), error.trailing_metadata()
        fault = stream_fault(topic, code, trailers)
        if is_about_session(code, trailers):
            await self._login.renew(session)
        return fault


def _stub(channel: grpc.aio.Channel) -> Any:
    return PubSubStub(channel)  # type: ignore[no-untyped-call]


def _credentials(ca_file: str) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(Path(ca_file).read_bytes() if ca_file else None)


def _metadata(session: SalesforceSession) -> tuple[tuple[str, str], ...]:
    """Return what every call carries, from the session alive at that moment."""
    own = (("accesstoken", session.token), ("instanceurl", session.instance_url), ("tenantid", session.org_id))
    current = correlation_id.get()
    return (*own, ("x-client-trace-id", current)) if current else own


def _event_id(payload: dict[str, Any], event: wire.ProducerEvent, replay_id: bytes) -> str:
    """Return an id that stays the same when the event is delivered again."""
    header = payload.get("ChangeEventHeader")
    if isinstance(header, dict):
        record = (header.get("recordIds") or [""])[0]
        return f"{header.get('entityName')}:{record}:{header.get('transactionKey')}:{header.get('sequenceNumber')}"
    return str(payload.get("EventUuid") or event.id or f"replay:{replay_id.hex()}")
