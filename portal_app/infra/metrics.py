"""Counters of this host's processes, summed on one loopback port.

With PROMETHEUS_MULTIPROC_DIR set before the first import of prometheus_client, every process writes its counters into
that folder; whoever serves them sums the folder.
"""

import os
from functools import lru_cache
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_requests = Counter("portal_http_requests", "Answered requests", ["method", "route", "status"])
_latency = Histogram("portal_http_seconds", "Time to the end of an answer", ["method", "route"], buckets=_SECONDS)


_violations = Gauge(
    "portal_invariant_violations",
    "What should never be and is, at the last check",
    ["invariant"],
    multiprocess_mode="mostrecent",
)


_clock_off = Gauge(
    "portal_clock_ahead_seconds",
    "By how much a process's host is ahead of PostgreSQL, whose clock the portal goes by",
    multiprocess_mode="liveall",
)


def set_clock_off(seconds: float) -> None:
    """Tell by how much the clock of this process's host is ahead."""
    _clock_off.set(seconds)


def set_violations(invariant: str, count: int) -> None:
    """Tell how often an invariant is broken."""
    _violations.labels(invariant).set(count)


def count_request(method: str, route: str, *, status: int, seconds: float) -> None:
    """Count one answer. `route` is a template, never an address with ids."""
    counter, latency = _kept_for(method, route, str(status))
    counter.inc()
    latency.observe(seconds)


def serve_metrics(port: int) -> tuple[WSGIServer, int]:
    """Serve /metrics on 127.0.0.1 from a thread; return the server (for `shutdown`) and its port; 0 takes any."""
    server, _ = start_http_server(port, "127.0.0.1", registry=_summed())
    return server, server.server_port


def forget_process(pid: int) -> None:
    """Drop the gauges of a process that ended; its counters keep counting."""
    if os.environ.get(FOLDER):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def clear_folder() -> None:
    """Delete what earlier runs left in the shared folder; call before any process starts."""
    folder = os.environ.get(FOLDER)
    for left in Path(folder).glob("*.db") if folder else ():
        left.unlink(missing_ok=True)


@lru_cache(maxsize=1000)
def _kept_for(method: str, route: str, status: str) -> tuple[Counter, Histogram]:
    return _requests.labels(method, route, status), _latency.labels(method, route)


def _summed() -> CollectorRegistry:
    if not os.environ.get(FOLDER):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
