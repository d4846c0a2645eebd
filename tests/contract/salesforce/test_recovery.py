"""Every error of the bus and the REST API as an error of ours, and the inbox row of a stream event."""

from typing import Any

import grpc
import pytest
from simple_salesforce.exceptions import SalesforceError

from portal_app.domain.errors import ExternalRejected, ExternalUnavailable, NotFound, OutcomeUnknown
from portal_app.domain.ports.event_stream import PositionLost, StreamEvent
from portal_app.integrations.salesforce.errors import DailyLimit, SalesforceRejected, SessionExpired, translated
from portal_app.integrations.salesforce.pubsub_errors import is_about_session, stream_fault
from portal_app.integrations.throttling.vendor_call import Busy, Misconfigured
from portal_app.jobs.listener import to_inbound

PREFIX = "sfdc.platform.eventbus.grpc."
CODE = grpc.StatusCode
ORDER = "801xx0000000001AAA"
STREAM: dict[str, tuple[type[Exception], int | None]] = {
    "service.auth.error": (ExternalUnavailable, None),
    "service.auth.headers.invalid": (ExternalRejected, None),
    "service.auth.refresh.invalid": (ExternalUnavailable, None),
    "service.unavailable": (ExternalUnavailable, None),
    "service.protection.triggered": (ExternalUnavailable, 60),
    "service.protection.stream.limit.triggered": (ExternalUnavailable, 60),
    "service.tenant.license": (ExternalRejected, None),
    "concurrent.client.limit.exceeded": (ExternalUnavailable, 60),
    "topic.not.found": (ExternalRejected, None),
    "topic.meta.permission": (ExternalRejected, None),
    "topic.validation.empty": (ExternalRejected, None),
    "topic.api.unavailable": (ExternalUnavailable, None),
    "schema.meta.permission": (ExternalRejected, None),
    "schema.validation.failed": (ExternalRejected, None),
    "schema.api.unavailable": (ExternalUnavailable, None),
    "subscription.topic.cannot.subscribe": (ExternalRejected, None),
    "subscription.internal.error": (ExternalUnavailable, None),
    "subscription.fetch.replayid.corrupted": (PositionLost, None),
    "subscription.fetch.replayid.validation.failed": (PositionLost, None),
    "subscription.fetch.replay.repeated": (ExternalUnavailable, None),
    "subscription.fetch.requested.events.invalid": (ExternalRejected, None),
    "subscription.fetch.topic.mismatch": (ExternalRejected, None),
    "subscription.fetch.overflow": (ExternalUnavailable, None),
    "subscription.fetch.request.invalid": (ExternalRejected, None),
    "subscription.limit.exceeded": (ExternalUnavailable, 3600),
}
# The error of a write call, and its Retry-After seconds where they are known.
REST: dict[tuple[int, str, str], tuple[type[Exception], int | None]] = {
    (400, "MALFORMED_QUERY", ""): (SalesforceRejected, None),
    (400, "INVALID_FIELD", ""): (SalesforceRejected, None),
    (400, "INVALID_TYPE", ""): (SalesforceRejected, None),
    (400, "REQUIRED_FIELD_MISSING", ""): (SalesforceRejected, None),
    (400, "STRING_TOO_LONG", ""): (SalesforceRejected, None),
    (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ""): (SalesforceRejected, None),
    (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", ""): (SalesforceRejected, None),
    (400, "FIELD_INTEGRITY_EXCEPTION", ""): (SalesforceRejected, None),
    (400, "DUPLICATE_VALUE", ""): (SalesforceRejected, None),
    (400, "DUPLICATES_DETECTED", ""): (SalesforceRejected, None),
    (400, "INVALID_CROSS_REFERENCE_KEY", ""): (SalesforceRejected, None),
    (400, "INSUFFICIENT_ACCESS_OR_READONLY", ""): (SalesforceRejected, None),
    (400, "MALFORMED_ID", ""): (NotFound, None),
    (400, "UNABLE_TO_LOCK_ROW", ""): (Busy, None),
    (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "caused by: null pointer"): (SalesforceRejected, None),
    (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "first error: UNABLE_TO_LOCK_ROW"): (Busy, None),
    (400, "QUERY_TIMEOUT", ""): (Busy, None),
    (400, "REQUEST_RUNNING_TOO_LONG", ""): (Busy, None),
    (400, "TOO_MANY_APEX_REQUESTS", ""): (Busy, None),
    (400, "INVALID_QUERY_LOCATOR", ""): (SalesforceRejected, None),
    (400, "LIMIT_EXCEEDED", ""): (Busy, 3600),
    (400, "PLATFORM_EVENT_PUBLISHING_UNAVAILABLE", ""): (Busy, None),
    (401, "INVALID_SESSION_ID", "Session expired or invalid"): (SessionExpired, None),
    (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"): (Misconfigured, None),
    (401, "INVALID_AUTH_HEADER", ""): (Misconfigured, None),
    (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."): (DailyLimit, 3600),
    (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."): (Busy, None),
    (403, "API_DISABLED_FOR_ORG", ""): (Misconfigured, None),
    (403, "API_CURRENTLY_DISABLED", ""): (Misconfigured, None),
    (403, "FORBIDDEN", ""): (Misconfigured, None),
    (403, "FUNCTIONALITY_NOT_ENABLED", ""): (Misconfigured, None),
    (403, "", ""): (ExternalUnavailable, None),
    (404, "NOT_FOUND", ""): (NotFound, None),
    (404, "ENTITY_IS_DELETED", ""): (NotFound, None),
    (405, "METHOD_NOT_ALLOWED", ""): (SalesforceRejected, None),
    (410, "UNSUPPORTED_API_VERSION", ""): (Misconfigured, None),
    (300, "", ""): (SalesforceRejected, None),
    (412, "", ""): (SalesforceRejected, None),
    (414, "", ""): (SalesforceRejected, None),
    (420, "", ""): (Busy, None),
    (500, "UNKNOWN_EXCEPTION", ""): (OutcomeUnknown, None),
    (503, "SERVER_UNAVAILABLE", ""): (OutcomeUnknown, None),
    (502, "", ""): (OutcomeUnknown, None),
}


@pytest.mark.parametrize("name", STREAM)
@pytest.mark.parametrize("code", [CODE.INTERNAL, CODE.UNAVAILABLE, CODE.INVALID_ARGUMENT])
def test_a_stream_recovers_by_its_error_code_whatever_the_status(name: str, code: grpc.StatusCode) -> None:
    trailers = (("error-code", PREFIX + name), ("rpc-id", "r1"))
    fault = stream_fault("/event/X__e", code, trailers)
    kind, pause = STREAM[name]
    assert type(fault) is kind and vars(fault).get("retry_after") == pause
    assert is_about_session(code, trailers) == (name == "service.auth.error")


@pytest.mark.parametrize("code", [CODE.UNAVAILABLE, CODE.INTERNAL, CODE.UNAUTHENTICATED, CODE.CANCELLED])
def test_an_end_without_a_code_is_a_temporary_network_error(code: grpc.StatusCode) -> None:
    assert type(stream_fault("/event/X__e", code, None)) is ExternalUnavailable
    assert is_about_session(code, None) == (code == CODE.UNAUTHENTICATED)


@pytest.mark.parametrize("answer", REST, ids=str)
def test_every_refusal_of_the_rest_api_becomes_one_error_of_ours(answer: tuple[int, str, str]) -> None:
    status, code, message = answer
    content: Any = [{"errorCode": code, "message": message}] if code else "<html>"
    fault = translated(SalesforceError("url", status, "name", content), "write", safe=False)
    kind, pause = REST[answer]
    assert type(fault) is kind and vars(fault).get("retry_after") == pause


def test_the_retry_after_of_a_refusal_is_passed_on() -> None:
    error = SalesforceError("url", 503, "name", "<html>")
    assert vars(translated(error, "read", safe=True, asked=7))["retry_after"] == 7


def change(kind: str, ids: list[str], **extra: Any) -> StreamEvent:
    header = {"entityName": "Order", "changeType": kind, "recordIds": ids, "commitTimestamp": 1_767_225_600_000}
    return StreamEvent("/data/OrderChangeEvent", "e1", b"r", {"ChangeEventHeader": header}, **extra)


def test_a_gap_names_its_records_to_be_read_again() -> None:
    assert to_inbound(change("GAP_UPDATE", [ORDER])).data == {"order_ids": [ORDER]}


@pytest.mark.parametrize(
    "event",
    [
        change("GAP_OVERFLOW", ["000000000000000AAA"]),
        change("UPDATE", ["801*"]),
    ],
)
def test_an_event_without_records_says_since_when_to_reconcile(event: StreamEvent) -> None:
    assert to_inbound(event).data == {"since": "2025-12-31T23:50:00+00:00"}


def test_an_undecodable_event_reconciles_from_what_was_heard_last() -> None:
    event = StreamEvent("/data/OrderChangeEvent", "e1", b"r", {}, undecodable=True)
    inbound = to_inbound(event, "2026-01-01T00:00:00+00:00")
    assert (inbound.kind, inbound.data["since"]) == ("OrderChangeEvent", "2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize("topic", ["/data/ChangeEvents", "/data/Portal__chn"])
def test_an_event_of_a_shared_channel_is_stored_under_its_own_object(topic: str) -> None:
    payload = {"ChangeEventHeader": {"entityName": "Product2", "recordIds": ["01txx0000000001AAA"]}}
    inbound = to_inbound(StreamEvent(topic, "e1", b"r", payload))
    assert (inbound.kind, inbound.data) == ("Product2ChangeEvent", {"record_ids": ["01txx0000000001AAA"]})
    event = StreamEvent(topic, "e1", b"r", {}, undecodable=True, schema_id="s1")
    lost = to_inbound(event, "2026-01-01T00:00:00+00:00")
    where = {"topic": topic, "replay_id": b"r".hex(), "schema_id": "s1"}
    assert (lost.kind, lost.data) == ("ChangeEvents", {"since": "2026-01-01T00:00:00+00:00", **where})


def test_a_request_names_its_order_whatever_the_org_calls_the_event() -> None:
    inbound = to_inbound(StreamEvent("/event/Fulfil__e", "e1", b"r", {"OrderId__c": ORDER}))
    assert (inbound.kind, inbound.data) == ("Fulfil__e", {"order_ids": [ORDER]})
