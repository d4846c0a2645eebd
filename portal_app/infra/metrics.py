"""Every process's figures, kept in its memory; `infra.metrics_folder` sums those of one host.

Only this file imports prometheus_client. Its own way to share values between processes maps files into memory, and a
full disk then ends the process by SIGBUS; so values stay in memory, whatever PROMETHEUS_MULTIPROC_DIR says.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from prometheus_client import Counter, Gauge, Histogram, values

from portal_app import __version__
from portal_app.infra.clock import unmoved_timestamp

# How the values of several processes become one: a sum, the largest, one line per process (all of living processes
# only), or the one that was set last, which outlives its process.
Merge = Literal["sum", "max", "each", "latest"]
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
# prometheus_client's own: calls over the network take longer than answers.
VENDOR_SECONDS = Histogram.DEFAULT_BUCKETS
values.ValueClass = values.MutexValue  # before the first figure is made
_collectors: dict[Any, Merge] = {}
_set_at: dict[tuple[str, tuple[str, ...]], float] = {}


def counter(name: str, text: str, labels: Sequence[str] = ()) -> Counter:
    """Return a new counter; summed over processes, also those that ended."""
    made = Counter(name, text, labels)
    _collectors[made] = "sum"
    return made


def histogram(name: str, text: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = _SECONDS) -> Histogram:
    """Return a new histogram of seconds; summed over processes, also those that ended."""
    made = Histogram(name, text, labels, buckets=buckets)
    _collectors[made] = "sum"
    return made


def gauge(name: str, text: str, labels: Sequence[str] = (), *, merge: Merge) -> Gauge:
    """Return a new gauge, with how the values of several processes become one. Set "latest" ones by `set_latest`."""
    made = Gauge(name, text, labels)
    _collectors[made] = merge
    return made


def set_latest(figure: Gauge, value: float, *labels: str) -> None:
    """Set a gauge of which the latest value counts, whichever process set it."""
    (figure.labels(*labels) if labels else figure).set(value)
    _set_at[figure._name, labels] = unmoved_timestamp()


def snapshot() -> list[dict[str, Any]]:
    """Return this process's figures as JSON values."""
    found: list[dict[str, Any]] = []
    for collector, merge in list(_collectors.items()):
        for metric in collector.collect():
            samples = [
                [each.name, each.labels, each.value, _set_at.get((metric.name, tuple(each.labels.values())), 0.0)]
                for each in metric.samples
                if not each.name.endswith("_created")
            ]
            found.append({
                "name": metric.name, "text": metric.documentation, "type": metric.type, "merge": merge,
                "samples": samples,
            })  # fmt: skip
    return found


_requests = counter("portal_http_requests", "Answered requests", ["method", "route", "status"])
_latency = histogram("portal_http_seconds", "Time to the end of an answer", ["method", "route"])
_page_events = histogram("portal_page_event_seconds", "Time a page's event took", ["page", "event"])
_page_outcomes = counter("portal_page_events", "Events of pages, by how they ended", ["page", "event", "outcome"])
_sockets = gauge("portal_sockets_open", "Websockets that are open", merge="sum")
_violations = gauge("portal_invariant_violations", "Broken invariants at the last check", ["invariant"], merge="latest")
_clock_ahead = gauge(
    "portal_clock_ahead_seconds", "How far a process's host is ahead of PostgreSQL's clock", merge="each"
)
_backlog = gauge("portal_backlog_items", "Items that wait to be handled", ["kind"], merge="sum")
_oldest = gauge("portal_backlog_oldest_seconds", "Age of the oldest item that waits", ["kind"], merge="max")
_breaker = gauge("portal_breaker_state", "A vendor's breaker: 0 closed, 1 half-open, 2 open", ["vendor"], merge="max")
_job_success = gauge(
    "portal_job_last_success_timestamp_seconds", "When a job of the schedule last succeeded", ["job"], merge="latest"
)
_connected = gauge("portal_listener_connected", "Whether a Salesforce topic is followed", ["topic"], merge="max")
_heard = gauge(
    "portal_listener_heard_timestamp_seconds", "When a topic's stream last said anything", ["topic"], merge="max"
)
_lag = gauge("portal_listener_lag_seconds", "Age of the last event when it arrived", ["topic"], merge="max")
_build = gauge("portal_build_info", "The version that runs", ["version"], merge="max")
_build.labels(__version__).set(1)


def count_request(method: str, route: str, *, status: int, seconds: float) -> None:
    """Count one answer. `route` is a template, never an address with ids."""
    answered, latency = _request_figures(method, route, str(status))
    answered.inc()
    latency.observe(seconds)


def count_page_event(page: str, event: str, *, outcome: Literal["done", "refused", "broke"], seconds: float) -> None:
    """Count one event of a page: `page` is the name of its state, `event` of its handler."""
    _page_outcomes.labels(page, event, outcome).inc()
    _page_events.labels(page, event).observe(seconds)


def count_socket(change: Literal[1, -1]) -> None:
    """Count a websocket that opened (1) or closed (-1)."""
    _sockets.inc(change)


def set_violations(invariant: str, count: int) -> None:
    """Set how often an invariant is broken."""
    set_latest(_violations, count, invariant)


def set_clock_ahead(seconds: float) -> None:
    """Set how far the clock of this process's host is ahead."""
    _clock_ahead.set(seconds)


def set_backlog(kind: str, *, items: int, oldest_seconds: float) -> None:
    """Set how much of one kind waits, and for how long."""
    _backlog.labels(kind).set(items)
    _oldest.labels(kind).set(oldest_seconds)


def set_breaker(vendor: str, state: str) -> None:
    """Set how a vendor's breaker stands: closed, half-open or open."""
    _breaker.labels(vendor).set({"closed": 0, "half-open": 1}.get(state, 2))


def forget_backlog() -> None:
    """Drop what only the leader measures; another process leads now."""
    for figure in (_backlog, _oldest, _breaker):
        figure.clear()


def record_job_success(job: str) -> None:
    """Record that a job of the schedule has just succeeded."""
    set_latest(_job_success, unmoved_timestamp(), job)


def set_listener(topic: str, *, is_connected: bool) -> None:
    """Set whether a topic is followed."""
    _connected.labels(topic).set(is_connected)


def record_batch(topic: str, *, lag_seconds: float | None) -> None:
    """Record that a topic's stream said something, and how old its last event was, if there was one."""
    set_listener(topic, is_connected=True)
    _heard.labels(topic).set(unmoved_timestamp())
    if lag_seconds is not None:
        _lag.labels(topic).set(lag_seconds)


@lru_cache(maxsize=1000)
def _request_figures(method: str, route: str, status: str) -> tuple[Counter, Histogram]:
    return _requests.labels(method, route, status), _latency.labels(method, route)
