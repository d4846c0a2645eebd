"""A bare Pub/Sub client: the generated stub, metadata and Avro."""

import asyncio
import contextlib
import io
import json
from typing import Any, Self

import fastavro
import grpc

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from portal_app.integrations.salesforce.proto import pubsub_api_pb2_grpc as pb_grpc
from tests.contract.sandbox_salesforce.running import Org

FULFILMENT = "/event/Order_Fulfilment_Requested__e"
ANSWER_SECONDS = 5.0


class PubSubClient:
    """Call the sandbox's Pub/Sub API with one token."""

    def __init__(self, org: Org, token: str) -> None:
        credentials = grpc.ssl_channel_credentials(org.keys.ca_file.read_bytes())
        self._channel = grpc.aio.secure_channel(f"localhost:{org.pubsub_port}", credentials)
        self.stub = pb_grpc.PubSubStub(self._channel)
        tenant = org.settings.sf_org_id
        self.metadata = (("accesstoken", token), ("instanceurl", org.http_url), ("tenantid", tenant))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()

    async def subscribe(self, topic: str = FULFILMENT, *, num_requested: int = 100, **first: Any) -> "Stream":
        """Open a stream and send its first request."""
        call = self.stub.Subscribe(metadata=self.metadata)
        stream = Stream(call)
        with contextlib.suppress(grpc.aio.AioRpcError):  # a refusal may overtake the request; reading tells it
            await call.write(pb.FetchRequest(topic_name=topic, num_requested=num_requested, **first))
        return stream

    async def schema(self, schema_id: str) -> dict[str, Any]:
        """Return a schema by its id."""
        answer = await self.stub.GetSchema(pb.SchemaRequest(schema_id=schema_id), metadata=self.metadata)
        return dict(json.loads(answer.schema_json))

    async def decoded(self, event: pb.ConsumerEvent) -> dict[str, Any]:
        """Return an event's payload, read with the schema the event names."""
        schema = fastavro.parse_schema(await self.schema(event.event.schema_id))
        return dict(fastavro.schemaless_reader(io.BytesIO(event.event.payload), schema))


class Stream:
    """One Subscribe stream, read with a deadline."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def read(self) -> Any:
        """Return the next answer, or grpc's end mark."""
        return await asyncio.wait_for(self.call.read(), ANSWER_SECONDS)

    async def quick_read(self) -> Any:
        """Return the next answer, or raise TimeoutError when none comes within a keepalive's time."""
        return await asyncio.wait_for(self.call.read(), 1)

    async def events(self, count: int) -> list[pb.ConsumerEvent]:
        """Return the next events, passing over keepalives."""
        found: list[pb.ConsumerEvent] = []
        while len(found) < count:
            answer = await self.read()
            assert answer is not grpc.aio.EOF
            found += answer.events
        return found

    async def refusal(self) -> tuple[grpc.StatusCode, str]:
        """Return the status and the error code in the trailers with which the stream ends."""
        try:
            while await self.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            return refusal_of(error)
        raise AssertionError("the stream ended without an error")


def refusal_of(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """Return the status and the suffix of the error code in the trailers."""
    trailers = dict(error.trailing_metadata() or ())
    code = str(trailers.get("error-code", ""))
    if code:
        assert trailers["rpc-id"] in (error.details() or "")
    return error.code(), code.removeprefix("sfdc.platform.eventbus.grpc.")
