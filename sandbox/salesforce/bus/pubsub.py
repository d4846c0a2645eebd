"""The Pub/Sub API over gRPC with TLS."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import grpc

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from portal_app.integrations.salesforce.proto import pubsub_api_pb2_grpc as pb_grpc
from sandbox.faults import Faults, VendorBroken, VendorDown, VendorFailed
from sandbox.salesforce.bus import avro
from sandbox.salesforce.bus.bus import Bus
from sandbox.salesforce.bus.managed import Managed, ManagedPositions
from sandbox.salesforce.bus.pubsub_errors import (
    PubSubError,
    dropped,
    error_named,
    headers_invalid,
    invalid,
    refuse,
    topic_not_found,
    unauthenticated,
    unavailable,
)
from sandbox.salesforce.bus.subscription import Pace, Subscription, end_task
from sandbox.salesforce.sessions import Sessions

_LARGEST_EVENT = 1024 * 1024
_GRACE = 0.2


class PubSub(pb_grpc.PubSubServicer):
    """Serve topics, schemas, subscriptions and publishing to callers with a valid access token."""

    def __init__(
        self, bus: Bus, sessions: Sessions, faults: Faults, managed: ManagedPositions, *, org_id: str, pace: Pace
    ) -> None:
        self._bus = bus
        self._sessions = sessions
        self._faults = faults
        self._org_id = org_id
        self._pace = pace
        self._managed = managed
        self.on_goaway: Callable[[], None] = _nothing
        self.active_subscribers = 0

    async def GetTopic(self, request: pb.TopicRequest, context: Any) -> pb.TopicInfo:
        """Tell what may be done with a topic."""
        try:
            await self._enter(context, "GetTopic")
            schema = self._topic(request.topic_name)
        except PubSubError as error:
            await refuse(context, error, "GetTopic")
        return pb.TopicInfo(
            topic_name=request.topic_name,
            tenant_guid=f"core/prod/{self._org_id}",
            can_publish=request.topic_name.startswith("/event/"),
            can_subscribe=True,
            schema_id=avro.schema_id(schema) if schema else "",
            rpc_id=str(uuid.uuid4()),
        )

    async def GetSchema(self, request: pb.SchemaRequest, context: Any) -> pb.SchemaInfo:
        """Return a schema by its id."""
        try:
            await self._enter(context, "GetSchema")
            schema = self._schema(request.schema_id)
        except PubSubError as error:
            await refuse(context, error, "GetSchema")
        text = avro.schema_json(schema)
        return pb.SchemaInfo(schema_json=text, schema_id=request.schema_id, rpc_id=str(uuid.uuid4()))

    async def Subscribe(
        self, requests: AsyncIterator[pb.FetchRequest], context: Any
    ) -> AsyncIterator[pb.FetchResponse]:
        """Deliver a topic's events against the client's credits."""
        try:
            # Refused before it is read, a request may meet a closed stream and hide the error code.
            first = await anext(requests, None)
            await self._enter(context, "Subscribe")
            if first is None:
                return
            async with aclosing(self._serve(first, requests)) as answers:
                async for answer in answers:
                    yield answer
        except PubSubError as error:
            await refuse(context, error, "Subscribe")

    async def ManagedSubscribe(
        self, requests: AsyncIterator[pb.ManagedFetchRequest], context: Any
    ) -> AsyncIterator[pb.ManagedFetchResponse]:
        """Deliver events from the position that a managed subscription keeps for its client."""
        try:
            first = await anext(requests, None)
            await self._enter(context, "ManagedSubscribe")
            if first is None:
                return
            managed = self._managed.open(first)
            try:
                async with aclosing(self._serve_managed(managed, first, requests)) as answers:
                    async for answer in answers:
                        yield answer
            finally:
                self._managed.close(managed)
        except PubSubError as error:
            await refuse(context, error, "ManagedSubscribe")

    async def Publish(self, request: pb.PublishRequest, context: Any) -> pb.PublishResponse:
        """Put a batch of encoded events on a topic."""
        try:
            await self._enter(context, "Publish")
            return self._publish(request)
        except PubSubError as error:
            await refuse(context, error, "Publish")

    async def PublishStream(
        self, requests: AsyncIterator[pb.PublishRequest], context: Any
    ) -> AsyncIterator[pb.PublishResponse]:
        """Put batches on one topic, answering each."""
        topic = ""
        try:
            await self._enter(context, "PublishStream")
            async for request in requests:
                topic = topic or request.topic_name
                if request.topic_name not in ("", topic):
                    raise invalid("publish.topic.mismatch", "The topic name differs from the stream's.")
                yield self._publish(pb.PublishRequest(topic_name=topic, events=request.events))
        except PubSubError as error:
            await refuse(context, error, "PublishStream")

    async def _enter(self, context: Any, call: str) -> None:
        try:
            await self._faults.before("pubsub", call)
        except VendorBroken as broken:
            if broken.kind == "silence":
                await asyncio.Event().wait()
            raise dropped() from broken
        except (VendorDown, VendorFailed) as error:
            raise unavailable() from error
        if self._faults.take_special("pubsub", "goaway"):
            self.on_goaway()
            raise dropped()
        if self._faults.applies("pubsub", call) and (name := self._faults.take_prefixed("pubsub", "error:")):
            raise error_named(name)
        given = {key: str(value) for key, value in context.invocation_metadata()}
        token, instance, tenant = (given.get(key, "") for key in ("accesstoken", "instanceurl", "tenantid"))
        if not token or not tenant or not instance.startswith(("https://", "http://")) or instance.endswith("/"):
            raise headers_invalid()
        if tenant[:15] != self._org_id[:15] or self._sessions.user_of(token) is None:
            raise unauthenticated()

    async def _serve(
        self, first: pb.FetchRequest, requests: AsyncIterator[pb.FetchRequest]
    ) -> AsyncGenerator[pb.FetchResponse, None]:
        subscription = self._subscription(first)
        async with aclosing(self._answers(subscription, requests)) as answers:
            async for answer in answers:
                yield answer

    def _subscription(self, first: pb.FetchRequest) -> Subscription:
        self._topic(first.topic_name)
        return Subscription(self._bus, self._faults, self._pace, first)

    async def _answers(
        self, subscription: Subscription, requests: AsyncIterator[pb.FetchRequest]
    ) -> AsyncGenerator[pb.FetchResponse, None]:
        listening = asyncio.create_task(subscription.listen(requests))
        self.active_subscribers += 1
        try:
            async for answer in subscription.answers():
                yield answer
        finally:
            self.active_subscribers -= 1
            subscription.close()
            await end_task(listening)

    async def _serve_managed(
        self, managed: Managed, first: pb.ManagedFetchRequest, requests: AsyncIterator[pb.ManagedFetchRequest]
    ) -> AsyncGenerator[pb.ManagedFetchResponse, None]:
        commits: deque[pb.CommitReplayResponse] = deque()
        subscription = self._subscription(self._managed.first_fetch(managed, first.num_requested))
        subscription.has_news = lambda: bool(commits)

        async def plain() -> AsyncIterator[pb.FetchRequest]:
            async for request in requests:
                if request.HasField("commit_replay_id_request"):
                    now_ms = int(time.time() * 1000)
                    commits.append(self._managed.commit(managed, request.commit_replay_id_request, now_ms))
                    subscription.wake()
                if request.num_requested or not request.HasField("commit_replay_id_request"):
                    yield pb.FetchRequest(num_requested=request.num_requested)

        async with aclosing(self._answers(subscription, plain())) as answers:
            async for answer in answers:
                yield _managed_answer(answer, commits.popleft() if commits else None)
                while commits:
                    yield _managed_answer(pb.FetchResponse(rpc_id=answer.rpc_id), commits.popleft())

    def _topic(self, name: str) -> dict[str, Any] | None:
        if not name:
            raise invalid("topic.validation.empty", "The topic name can't be empty.")
        known, schema = self._bus.schemas.of_topic(name)
        if not known:
            raise topic_not_found(name, self._org_id)
        return schema

    def _schema(self, schema_id: str) -> dict[str, Any]:
        schema = self._bus.schemas.by_id(schema_id)
        if schema is None:
            raise invalid("schema.validation.failed", f"The schema {schema_id} is not known.")
        return schema

    def _publish(self, request: pb.PublishRequest) -> pb.PublishResponse:
        schema = self._topic(request.topic_name)
        if schema is None or not request.topic_name.startswith("/event/"):
            message = f"The user can't publish to the topic {request.topic_name}."
            raise PubSubError(grpc.StatusCode.PERMISSION_DENIED, "topic.meta.permission", message)
        if not request.events:
            raise invalid("publish.event.count.invalid", "The request holds no events.")
        results = [self._publish_one(request.topic_name, event) for event in request.events]
        self._bus.wake()
        return pb.PublishResponse(results=results, schema_id=avro.schema_id(schema), rpc_id=str(uuid.uuid4()))

    def _publish_one(self, topic: str, event: pb.ProducerEvent) -> pb.PublishResult:
        # As at the vendor, the payload is not checked: garbage is accepted and is the consumers' trouble.
        event_id = event.id or str(uuid.uuid4())
        problem = ""
        if self._bus.schemas.by_id(event.schema_id) is None:
            problem = f"The schema {event.schema_id} is not known."
        elif len(event.payload) > _LARGEST_EVENT:
            problem = "The event is larger than 1 MB."
        if problem:
            return pb.PublishResult(error=pb.Error(code=pb.PUBLISH, msg=problem), correlation_key=event_id)
        replay_id = self._bus.append(topic, event_id=event_id, schema_id=event.schema_id, payload=event.payload)
        return pb.PublishResult(replay_id=replay_id, correlation_key=event_id)


def _managed_answer(answer: pb.FetchResponse, commit: pb.CommitReplayResponse | None) -> pb.ManagedFetchResponse:
    return pb.ManagedFetchResponse(
        events=answer.events,
        latest_replay_id=answer.latest_replay_id,
        rpc_id=answer.rpc_id,
        pending_num_requested=answer.pending_num_requested,
        commit_response=commit,
    )


def _nothing() -> None:
    """Do nothing."""


class PubSubServer:
    """The listening side: one gRPC server with a certificate."""

    def __init__(self, servicer: PubSub) -> None:
        self._servicer = servicer
        self._server: grpc.aio.Server | None = None
        self._restarting: asyncio.Task[None] | None = None

    async def start(self, address: str, certificate_pem: bytes, key_pem: bytes) -> int:
        """Listen on `host:port` (port 0 picks a free one) and return the port."""
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        pb_grpc.add_PubSubServicer_to_server(self._servicer, server)
        port = server.add_secure_port(address, grpc.ssl_server_credentials([(key_pem, certificate_pem)]))
        await server.start()
        self._server = server
        host = address.rpartition(":")[0]

        async def restart() -> None:
            await self.stop()
            await self.start(f"{host}:{port}", certificate_pem, key_pem)

        def go_away() -> None:
            self._restarting = asyncio.create_task(restart())

        self._servicer.on_goaway = go_away
        return int(port)

    async def stop(self) -> None:
        """Cut the open streams and stop listening."""
        if self._server is not None:
            await self._server.stop(_GRACE)
            self._server = None
