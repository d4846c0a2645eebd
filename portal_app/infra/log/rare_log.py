"""Log lines that callers can cause at will: a few a minute for each reason, so that they cannot fill a disk."""

from typing import Any

import structlog

from portal_app.infra.redis.rate_limit import LocalLimits

_MOST = "6/minute"
_LONGEST = 200
_limits = LocalLimits()
_log = structlog.get_logger(__name__)


def log_rarely(event: str, reason: str, **facts: Any) -> None:
    """Write a warning, at most six times a minute for each event and reason in this process."""
    if not _limits.seconds_left(_MOST, event, reason):
        _log.warning(event, reason=reason, **{name: str(fact)[:_LONGEST] for name, fact in facts.items()})
