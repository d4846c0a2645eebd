"""One Subscribe stream: credits in, events and keepalives out."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.faults import Faults
from sandbox.salesforce.bus.bus import Bus, Event, ReplayIdUnknown
from sandbox.salesforce.bus.pubsub_errors import (
    PubSubError,
    dropped,
    error_named,
    invalid,
    limited,
    replay_corrupted,
    unavailable,
)

MOST_CREDITS = 100

_MOST_IN_ONE_ANSWER = 25
_TOO_MANY = 100
_TICK = 0.5


@dataclass(frozen=True)
class Pace:
    """Seconds between keepalives, and seconds without credits after which a stream is closed."""

    keepalive: float = 60.0
    idle_close: float = 60.0


class Subscription:
    """Serve one topic to one client until it leaves, idles without credits or a fault cuts it off.

    While `has_news` says so, the caller has something of its own to tell and gets an answer without events for it.
    """

    def __init__(self, bus: Bus, faults: Faults, pace: Pace, first: pb.FetchRequest) -> None:
        self._bus = bus
        self._faults = faults
        self._pace = pace
        self._topic = first.topic_name
        self._waiter = bus.add_waiter()
        self._credits = 0
        self._left = False
        self.has_news: Callable[[], bool] = _nothing_new
        self._refusal: PubSubError | None = None
        self._position = self._start(first)
        self._epoch = bus.epoch(self._topic)
        self._spoke_at = self._asked_at = time.monotonic()
        self.ask(first)

    def ask(self, request: pb.FetchRequest) -> None:
        """Take in a request's credits. Raises PubSubError."""
        if request.topic_name not in ("", self._topic):
            raise invalid("subscription.fetch.topic.mismatch", "The topic name differs from the stream's.")
        if request.num_requested <= 0:
            message = "The number of events requested must be greater than zero."
            raise invalid("subscription.fetch.requested.events.invalid", message)
        self._credits = min(MOST_CREDITS, self._credits + request.num_requested)
        self._asked_at = time.monotonic()

    async def listen(self, requests: AsyncIterator[pb.FetchRequest]) -> None:
        """Take in requests until the client closes its side."""
        try:
            async for request in requests:
                self.ask(request)
                self._waiter.ring()
        except PubSubError as error:
            self._refusal = error
        self._left = True
        self._waiter.ring()

    async def answers(self) -> AsyncIterator[pb.FetchResponse]:
        """Yield what goes to the client. Raises PubSubError."""
        while True:
            self._look_around()
            while self.has_news():
                yield self._answer([], b"")
            if self._left:
                return
            if not self._credits and self._is_due(self._asked_at, self._pace.idle_close):
                return
            if self._faults.take_special("pubsub", "end_stream"):
                return
            silent = self._faults.take_special("pubsub", "silence")
            answer = None if silent else self._delivery() or self._keepalive()
            if answer:
                yield answer
            else:
                await self._waiter.wait(min(_TICK, self._pace.keepalive))

    def wake(self) -> None:
        """Look for news now."""
        self._waiter.ring()

    def close(self) -> None:
        """Let go of the bell."""
        self._bus.remove_waiter(self._waiter)

    def _start(self, first: pb.FetchRequest) -> int:
        if first.replay_preset == pb.EARLIEST:
            return self._bus.earliest(self._topic)
        if first.replay_preset != pb.CUSTOM:
            return self._bus.latest(self._topic)[0]
        if not first.replay_id:
            message = "The Replay ID is missing; it is required with the CUSTOM preset."
            raise invalid("subscription.fetch.replayid.validation.failed", message)
        if self._faults.take_special("pubsub", "replay_corrupted"):
            raise replay_corrupted()
        try:
            return self._bus.position_of(self._topic, first.replay_id)
        except ReplayIdUnknown as error:
            raise replay_corrupted() from error

    def _look_around(self) -> None:
        if self._refusal:
            raise self._refusal
        settings = self._faults.settings_of("pubsub")
        if settings.down and (not settings.operations or "Subscribe" in settings.operations):
            raise unavailable()
        if self._faults.take_special("pubsub", "drop_stream"):
            raise dropped()
        if self._faults.take_special("pubsub", "delivery_limit"):
            raise limited()
        if self._faults.applies("pubsub", "Subscribe") and (name := self._faults.take_prefixed("pubsub", "error:")):
            raise error_named(name)
        if self._faults.take_special("pubsub", "reset_stream"):
            self._bus.void_log()
        if self._bus.epoch(self._topic) != self._epoch:
            raise unavailable()

    def _delivery(self) -> pb.FetchResponse | None:
        most = min(self._credits, _MOST_IN_ONE_ANSWER)
        if self._faults.take_special("pubsub", "single_events"):
            most = min(most, 1)
        elif most and self._faults.take_special("pubsub", "crowded_answers"):
            most = self._credits + _TOO_MANY
        events = self._bus.read(self._topic, self._position, most)
        if not events:
            return None
        self._position = events[-1].position
        self._credits = max(0, self._credits - len(events))
        self._bus.allocations.count_delivered(len(events))
        self._asked_at = time.monotonic()
        return self._answer([_consumer_event(event) for event in events], events[-1].replay_id)

    def _keepalive(self) -> pb.FetchResponse | None:
        # A client resumes after the position a keepalive names, so it must not run ahead of what was delivered.
        if not self._credits or not self._is_due(self._spoke_at, self._pace.keepalive):
            return None
        position, replay_id = self._bus.latest(self._topic)
        return self._answer([], replay_id) if position == self._position else None

    def _answer(self, events: list[pb.ConsumerEvent], latest: bytes) -> pb.FetchResponse:
        self._spoke_at = time.monotonic()
        return pb.FetchResponse(
            events=events, latest_replay_id=latest, rpc_id=str(uuid.uuid4()), pending_num_requested=self._credits
        )

    @staticmethod
    def _is_due(since: float, seconds: float) -> bool:
        return time.monotonic() - since >= seconds


def _nothing_new() -> bool:
    return False


def _consumer_event(event: Event) -> pb.ConsumerEvent:
    produced = pb.ProducerEvent(id=event.event_id, schema_id=event.schema_id, payload=event.payload)
    return pb.ConsumerEvent(event=produced, replay_id=event.replay_id)


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it is gone."""
    task.cancel()
    await asyncio.wait([task])
