"""The web process: granian serving the assembled app on one port, and the figures on a loopback port of their own."""

import os
import signal
import subprocess
import sys
from types import FrameType

from portal_app.infra.metrics import serve_metrics
from portal_app.infra.settings import Settings

# Reflex is told to serve what was built, and to build nothing: a web process needs no JavaScript tool.
_AS_BUILT = {
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_OPLOCK_ENABLED": "true",
}


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return granian's exit code."""
    if settings.portal_metrics_port:
        serve_metrics(settings.portal_metrics_port)
    child = subprocess.Popen(_command(settings), env={**os.environ, **_AS_BUILT})

    def pass_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    return child.wait()


def _command(settings: Settings) -> list[str]:
    options = {
        "--interface": "asgi",
        "--host": settings.portal_host,
        "--port": str(settings.portal_port),
        "--workers": str(settings.portal_web_workers),
        "--workers-kill-timeout": str(settings.portal_drain_seconds),
        "--log-level": "warning",
    }
    flat = [part for pair in options.items() for part in pair]
    flags = ["--factory", "--respawn-failed-workers", "--no-access-log"]
    return [sys.executable, "-m", "granian", *flat, *flags, "portal_app.portal_app:app"]


if __name__ == "__main__":
    sys.exit(serve(Settings()))
