"""What a worker of the web server loads: the assembled app; a failure to load it is one line of the log."""

import importlib
import sys
from typing import Any

import structlog

from portal_app.infra.start import read_settings

_log = structlog.get_logger(__name__)


def app() -> Any:
    """Return the application. Called once by each worker of the server."""
    read_settings("web")
    try:
        return importlib.import_module("portal_app.portal_app").app()
    except Exception:
        # The outermost handler of a worker: multiprocessing would write the traceback as plain text.
        _log.critical("process.failed", exc_info=True)
        sys.exit(1)
