"""The event bus: one append-only log per topic, kept 72 hours, read from any replay id still known."""

import asyncio
import base64
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.salesforce.bus.allocations import Allocations
from sandbox.salesforce.bus.schemas import Schemas
from sandbox.store import Store

RETENTION = timedelta(hours=72)

_HEADS = "salesforce:bus:topics"
_FIRST_NUMBER = 281_474
_NUMBER_BYTES, _TAIL = 8, b"\x00\x00"
_GARBAGE = b"\xff" * 12


@dataclass(frozen=True)
class Event:
    """One event in a topic's log."""

    position: int
    replay_id: bytes
    event_id: str
    schema_id: str
    payload: bytes


class ReplayIdUnknown(Exception):
    """A replay id that this topic never gave out, or that has aged away."""


class Waiter:
    """A subscriber's bell; it may be rung from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the subscriber."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Return when rung, or after so many seconds."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        self._event.clear()


class Bus:
    """Append events and read them back by position; replay ids are ten opaque bytes that only ever grow."""

    def __init__(self, store: Store, clock: Clock, faults: Faults) -> None:
        self._store = store
        self._clock = clock
        self._faults = faults
        self.schemas = Schemas(store, faults)
        self.allocations = Allocations(store, clock)
        self._lock = threading.Lock()
        self._waiters: set[Waiter] = set()

    def append(self, topic: str, *, event_id: str, schema_id: str, payload: bytes) -> bytes:
        """Add an event to a topic and return its replay id."""
        with self._store.transaction():
            if self._faults.take_special("pubsub", "undecodable_event"):
                payload = _GARBAGE
            replay_id = self._append(topic, event_id, schema_id, payload)
            if topic.startswith("/event/"):
                self.allocations.count_published()
            if self._faults.take_special("pubsub", "lose_event"):
                self._lose(topic)
            if self._faults.take_special("pubsub", "duplicate_event"):
                self._append(topic, event_id, schema_id, payload)
        return replay_id

    def read(self, topic: str, after: int, most: int) -> list[Event]:
        """Return up to `most` events after a position, oldest first."""
        found: list[Event] = []
        while len(found) < most and (entry := self._store.get(_log(topic), after + 1)):
            after += 1
            if not entry.get("lost"):
                found.append(_event(entry))
        return found

    def void_log(self) -> None:
        """Delete all events and void all replay ids, as a migration of the org does."""
        with self._store.transaction():
            for head in self._store.all(_HEADS):
                for kind in (_log(head["topic"]), _marks(head["topic"])):
                    self._store.clear(kind)
                self._store.delete(_HEADS, head["topic"])
        self.wake()

    def latest(self, topic: str) -> tuple[int, bytes]:
        """Return the newest position and a replay id for it, which stays known for the retention from now on."""
        with self._store.transaction():
            head = self._head(topic)
            self._mark(topic, head["replay"], head["position"])
        return head["position"], _replay_bytes(head["replay"])

    def earliest(self, topic: str) -> int:
        """Return the position before the oldest event still kept."""
        with self._store.transaction():
            return int(self._purged(topic, self._head(topic))["oldest"]) - 1

    def position_of(self, topic: str, replay_id: bytes) -> int:
        """Return the position a replay id stands for. Raises ReplayIdUnknown.

        Clients that make numbers of replay ids send eight bytes back; the vendor takes those too.
        """
        if len(replay_id) == _NUMBER_BYTES:
            replay_id += _TAIL
        mark = self._store.get(_marks(topic), replay_id.hex())
        if mark is None or self._expired(mark["at"]):
            raise ReplayIdUnknown(replay_id.hex())
        return max(int(mark["position"]), self.earliest(topic))

    def epoch(self, topic: str) -> str:
        """Return a mark of the log's beginning; it changes when the org is reset and all positions lose meaning."""
        with self._store.transaction():
            return str(self._head(topic)["epoch"])

    def add_waiter(self) -> Waiter:
        """Return a bell that rings whenever events were added."""
        waiter = Waiter()
        with self._lock:
            self._waiters.add(waiter)
        return waiter

    def remove_waiter(self, waiter: Waiter) -> None:
        """Forget a bell."""
        with self._lock:
            self._waiters.discard(waiter)

    def wake(self) -> None:
        """Ring all bells; called once a transaction has committed."""
        with self._lock:
            waiters = list(self._waiters)
        for waiter in waiters:
            waiter.ring()

    def _append(self, topic: str, event_id: str, schema_id: str, payload: bytes) -> bytes:
        head = self._purged(topic, self._head(topic))
        head["position"] += 1
        head["replay"] += 1 + secrets.randbelow(9)
        entry = {
            "position": head["position"],
            "replay": head["replay"],
            "event_id": event_id,
            "schema_id": schema_id,
            "payload": base64.b64encode(payload).decode(),
            "at": self._now(),
        }
        self._store.put(_log(topic), head["position"], entry)
        self._store.put(_HEADS, topic, head)
        self._mark(topic, head["replay"], head["position"])
        return _replay_bytes(head["replay"])

    def _lose(self, topic: str) -> None:
        position = self._head(topic)["position"]
        entry = self._store.get(_log(topic), position) or {}
        self._store.put(_log(topic), position, entry | {"lost": True})

    def _head(self, topic: str) -> dict[str, Any]:
        head = self._store.get(_HEADS, topic)
        if head is None:
            begun = {"epoch": secrets.token_hex(8), "replay": _FIRST_NUMBER + secrets.randbelow(100_000)}
            head = begun | {"position": 0, "oldest": 1, "topic": topic}
            self._store.put(_HEADS, topic, head)
        return head

    def _mark(self, topic: str, replay: int, position: int) -> None:
        key = _replay_bytes(replay).hex()
        self._store.put(_marks(topic), key, {"position": position, "at": self._now()})

    def _purged(self, topic: str, head: dict[str, Any]) -> dict[str, Any]:
        begin = head["oldest"]
        while (entry := self._store.get(_log(topic), head["oldest"])) and self._expired(entry["at"]):
            self._store.delete(_log(topic), head["oldest"])
            self._forget_mark(topic, entry["replay"])
            head["oldest"] += 1
        if head["oldest"] != begin:
            self._store.put(_HEADS, topic, head)
        return head

    def _forget_mark(self, topic: str, replay: int) -> None:
        key = _replay_bytes(replay).hex()
        mark = self._store.get(_marks(topic), key)
        if mark and self._expired(mark["at"]):
            self._store.delete(_marks(topic), key)

    def _expired(self, at: float) -> bool:
        return self._now() - at > RETENTION.total_seconds()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _replay_bytes(number: int) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big") + _TAIL


def _event(entry: dict[str, Any]) -> Event:
    return Event(
        position=entry["position"],
        replay_id=_replay_bytes(entry["replay"]),
        event_id=entry["event_id"],
        schema_id=entry["schema_id"],
        payload=base64.b64decode(entry["payload"]),
    )


def _log(topic: str) -> str:
    return f"salesforce:bus:log:{topic}"


def _marks(topic: str) -> str:
    return f"salesforce:bus:marks:{topic}"
