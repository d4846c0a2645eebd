"""Structured logs: JSON in production, readable in development, always with the correlation id, never with secrets."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, TextIO

import structlog
from asgi_correlation_id import correlation_id
from structlog.tracebacks import ExceptionDictTransformer

# The one list of what no log line may carry. Values are dropped by the name of their key, whole or its last part.
REDACTED = frozenset(
    """
    password password2 passwd secret token access_token refresh_token authorization cookie set_cookie code email to
    recipient phone phonenumber first_name last_name firstname lastname full_name name address address1 address2
    street postcode city iccid eid old_eid oldeid imsi lpa activation_code activationcode msisdn authkey auth_key oemkey
    product_number productnumber reservation_number reservenumber birth_date remote_token redirect_url link body
    """.split()
)
_ENDINGS = ("_password", "_secret", "_secrets", "_token", "_email", "_cookie")
# Never with local variables: they hold what the list above keeps out.
_TRACEBACKS = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
_NOISY = ("httpx", "httpcore", "dbos", "apscheduler", "simple_salesforce", "urllib3", "granian.access")


def set_up_logs(*, process: str, log_format: str, level: str) -> None:
    """Send every log line of this process, ours and libraries', to standard error in one form.

    Ours go there straight: through the standard library each would cost three times as much, a quarter of a request
    that is answered from what is kept.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_correlation_id,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
        )
    )
    last = [*([_TRACEBACKS] if log_format == "json" else []), renderer]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=lambda *_: _Lines(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


class _Lines:
    """Writes finished lines; where nobody can take them, a line is lost and not what wrote it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


def redact(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every redacted key, at any depth."""
    return {key: _redacted(key, value) for key, value in line.items()}


def _redacted(key: Any, value: Any) -> Any:
    if _is_secret(str(key)):
        return "[redacted]"
    if isinstance(value, dict):
        return {inner: _redacted(inner, content) for inner, content in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", content) for content in value]
    return value


@lru_cache(maxsize=1000)
def _is_secret(key: str) -> bool:
    name = key.lower().replace("-", "_")
    return name in REDACTED or name.endswith(_ENDINGS)


def _with_correlation_id(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if current := correlation_id.get():
        line.setdefault("correlation_id", current)
    return line
