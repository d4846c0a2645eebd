"""The web process: granian serving the assembled app on one port, and the figures on a loopback port of their own."""

import os
import resource
import signal
import subprocess
import sys
from types import FrameType

from portal_app.infra.log.logs import LOGGING_FILE
from portal_app.infra.metrics_server import Metrics
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings
from portal_app.jobs.preflight import refuse_if_useless, start_checks

# Reflex serves the built frontend and builds nothing: a web process needs no JavaScript tool.
_AS_BUILT = {
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_OPLOCK_ENABLED": "true",
}

# Bytes of a request's line and headers together: above it the answer is 431.
LARGEST_HEAD = 32 * 1024
# Connections the kernel holds until a worker takes them; net.core.somaxconn bounds it.
_BACKLOG = 4096
_MOST_FILES = 1024 * 1024


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return granian's exit code. Exits with 78 for what no restart corrects."""
    # Here, not in granian's workers: it would start those again for ever.
    refuse_if_useless(start_checks(settings, "web"))
    # The children count; their parent has the time to add up.
    metrics = Metrics(settings, "web", writes=False).start()
    child = subprocess.Popen(
        command(settings, files=raise_file_limit()),
        env={**os.environ, **_AS_BUILT, "PORTAL_LOG_FORMAT": settings.portal_log_format},
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    code = child.wait()
    metrics.stop()
    return code


def command(settings: Settings, *, files: int) -> list[str]:
    """Return the command that serves, in a process that may open so many files."""
    options = {
        "--interface": "asgi",
        "--host": settings.portal_host,
        "--port": str(settings.portal_port),
        "--workers": str(settings.portal_web_workers),
        "--workers-kill-timeout": str(settings.portal_drain_seconds),
        "--log-level": "warning",
        "--log-config": str(LOGGING_FILE),
        # No browser speaks HTTP/2 without TLS, and proxies speak HTTP/1 to us. Only so does a connection that sends
        # nothing at all have a deadline: it is the one of headers.
        "--http": "1",
        "--http1-header-read-timeout": str(settings.portal_header_seconds * 1000),
        "--http1-buffer-size": str(LARGEST_HEAD),
        # A connection takes a place from its first packet to its end, whether it asks for anything or not. Websockets
        # take files and no place.
        "--backpressure": str(min(settings.portal_connections, files // 2)),
        "--backlog": str(_BACKLOG),
    }
    flat = [part for pair in options.items() for part in pair]
    flags = ["--factory", "--respawn-failed-workers", "--no-access-log"]
    return [sys.executable, "-m", "granian", *flat, *flags, "portal_app.jobs.web_app:app"]


def raise_file_limit() -> int:
    """Let this process and its children open as many files as they may; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


if __name__ == "__main__":
    sys.exit(serve(read_settings("web")))
