"""Managed subscriptions: definitions read by the tooling query, positions kept by the bus side for its clients."""

import re
from dataclasses import dataclass
from typing import Any

from portal_app.integrations.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.salesforce.bus.bus import Bus, ReplayIdUnknown
from sandbox.salesforce.bus.pubsub_errors import PubSubError, invalid
from sandbox.salesforce.calls import Answer, Call
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.ids import is_id, make_id, to_18
from sandbox.store import Store

_KIND = "salesforce:managed"
_FILTER = re.compile(r"(?i)\s+FROM\s+ManagedEventSubscription\s+WHERE\s+(Id|DeveloperName)\s*=\s*'([^']*)'")


@dataclass(frozen=True)
class Managed:
    """One definition. The presets say where to start without a committed position, and after an invalid one."""

    id: str
    name: str
    topic: str
    state: str = "RUN"
    default_replay: str = "EARLIEST"
    recovery_replay: str = "EARLIEST"


_TOPIC = "/event/Order_Fulfilment_Requested__e"
DEFINITIONS = (
    Managed(make_id("18x", 1), "Managed_Fulfilment", _TOPIC),
    Managed(make_id("18x", 2), "Managed_Stopped", _TOPIC, state="STOP"),
)


def query(call: Call) -> Answer:
    """Answer a tooling query for one definition by id or name."""
    match = _FILTER.search(call.query.get("q", ""))
    if match is None:
        raise SalesforceError("INVALID_TYPE", "sObject type is not supported.")
    wanted = to_18(match[2]) if match[1].lower() == "id" and is_id(match[2]) else match[2]
    found = [_record(call, each) for each in DEFINITIONS if wanted in (each.id, each.name)]
    head = {"size": len(found), "totalSize": len(found), "done": True, "queryLocator": None}
    return Answer(200, head | {"entityTypeName": "ManagedEventSubscription", "records": found})


class ManagedPositions:
    """Find definitions as clients name them, and keep what they commit."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._active: set[str] = set()

    def open(self, request: pb.ManagedFetchRequest) -> Managed:
        """Return the definition a first request names and hold it for one stream. Raises PubSubError."""
        managed = self._named(request)
        if request.HasField("commit_replay_id_request"):
            raise _refused("fetch.request.commit.request.restricted", "The first request can't commit.")
        if managed.state != "RUN":
            raise _refused("config.stopped", f"The managed subscription is in the state {managed.state}.")
        if managed.id in self._active:
            raise _refused("already.active", "The managed subscription has an active stream.")
        self._active.add(managed.id)
        return managed

    def close(self, managed: Managed) -> None:
        """Let a definition go."""
        self._active.discard(managed.id)

    def first_fetch(self, managed: Managed, credits: int) -> pb.FetchRequest:
        """Return the plain request that begins where the definition stands."""
        kept = self._store.get(_KIND, managed.id)
        preset = managed.default_replay
        if kept:
            try:
                self._bus.position_of(managed.topic, bytes.fromhex(kept["replay"]))
            except ReplayIdUnknown:
                preset = managed.recovery_replay
            else:
                replay = bytes.fromhex(kept["replay"])
                return pb.FetchRequest(
                    topic_name=managed.topic, replay_preset=pb.CUSTOM, replay_id=replay, num_requested=credits
                )
        return pb.FetchRequest(topic_name=managed.topic, replay_preset=preset, num_requested=credits)

    def commit(self, managed: Managed, request: pb.CommitReplayRequest, now_ms: int) -> pb.CommitReplayResponse:
        """Keep a position; an unknown one is told inside the answer and leaves the stream open."""
        answer = pb.CommitReplayResponse(
            commit_request_id=request.commit_request_id, replay_id=request.replay_id, process_time=now_ms
        )
        try:
            self._bus.position_of(managed.topic, request.replay_id)
        except ReplayIdUnknown:
            answer.error.CopyFrom(pb.Error(code=pb.COMMIT, msg="The Replay ID validation failed."))
        else:
            self._store.put(_KIND, managed.id, {"replay": request.replay_id.hex()})
        return answer

    @staticmethod
    def _named(request: pb.ManagedFetchRequest) -> Managed:
        if bool(request.subscription_id) == bool(request.developer_name):
            raise _refused("id.or.developer.name.empty", "Name the subscription by its id or its developer name.")
        if request.subscription_id and not is_id(request.subscription_id):
            raise _refused("subscription.id.invalid", "The subscription id is invalid.")
        for each in DEFINITIONS:
            if request.developer_name == each.name or to_18(request.subscription_id or "x" * 15) == each.id:
                return each
        missing = "subscription.id.not.found" if request.subscription_id else "developer.name.not.found"
        raise _refused(missing, "The managed subscription was not found.")


def _record(call: Call, managed: Managed) -> dict[str, Any]:
    path = f"{call.api_path}/tooling/sobjects/ManagedEventSubscription/{managed.id}"
    metadata = {
        "topicName": managed.topic,
        "label": managed.name.replace("_", " "),
        "defaultReplay": managed.default_replay,
        "errorRecoveryReplay": managed.recovery_replay,
        "state": managed.state,
        "version": 62.0,
    }
    head = {"attributes": {"type": "ManagedEventSubscription", "url": path}}
    return head | {"Id": managed.id, "DeveloperName": managed.name, "Metadata": metadata}


def _refused(code: str, message: str) -> PubSubError:
    return invalid(f"managed.subscription.{code}", message)
