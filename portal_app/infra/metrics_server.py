"""Writes a process's figures down while it runs, and serves those of its kind on this host."""

import threading
from contextlib import suppress
from typing import Literal
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from portal_app.infra.metrics_folder import HostFigures, Snapshot, folder_of, prepare
from portal_app.infra.settings import Settings

Kind = Literal["web", "worker", "listener"]
_EVERY_SECONDS = 2.0
_log = structlog.get_logger(__name__)


class Metrics:
    """The figures of one process, from a thread of its own: nothing that fails here reaches the process.

    One process of a kind serves the port. Another takes it over when that one ends.
    """

    def __init__(self, settings: Settings, kind: Kind, *, writes: bool = True, serves: bool = True) -> None:
        self._folder = folder_of(settings)
        self._figures = HostFigures(self._folder, kind)
        self._snapshot = Snapshot(self._folder, kind) if writes else None
        self._host = settings.portal_metrics_host
        ports = {
            "web": settings.portal_metrics_port,
            "worker": settings.portal_worker_metrics_port,
            "listener": settings.portal_listener_metrics_port,
        }
        self._port = ports[kind]
        self._serves = serves
        self._server: WSGIServer | None = None
        self._stopped = threading.Event()
        self._failed = ""
        self._is_prepared = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="metrics")

    @property
    def port(self) -> int | None:
        """The port that is served, None where none is."""
        return self._server.server_port if self._server else None

    def start(self) -> "Metrics":
        """Begin, and return itself; port 0 turns all of it off."""
        if self._port:
            self._thread.start()
        return self

    def stop(self) -> None:
        """Write the last figures and give the port back."""
        if self._stopped.is_set() or not self._thread.is_alive():
            return
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        self._round()
        while not self._stopped.wait(_EVERY_SECONDS):
            self._round()
        self._round()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _round(self) -> None:
        try:
            if not self._is_prepared:
                prepare(self._folder)
                if self._serves:
                    self._figures.clear()
                self._is_prepared = True
            if self._snapshot is not None:
                self._snapshot.write()
            self._figures.sweep()
            if self._failed:
                _log.info("metrics.written_again")
            self._failed = ""
        except Exception as error:
            if self._failed != str(error):
                _log.warning("metrics.not_written", error=type(error).__name__, reason=str(error)[:200])
            self._failed = str(error)
        if self._serves and self._server is None:
            with suppress(OSError):
                self._serve()

    def _serve(self) -> None:
        registry = CollectorRegistry()
        registry.register(self._figures)
        self._server, _ = start_http_server(self._port, self._host, registry=registry)
        _log.info("metrics.served", port=self._port)
