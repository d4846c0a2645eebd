"""Whether this deployment fits: servers that answer and take writes, a schema and pages that belong to this code."""

import asyncio
import math
import os
import time
from collections.abc import Awaitable
from functools import cache
from pathlib import Path

import structlog
from redis.exceptions import RedisError

from portal_app.domain.errors import ExternalUnavailable
from portal_app.frontend_files import ROOT, client_folder, is_built_from, stamp_of
from portal_app.infra.checks.machine import OUTDATED_PAGES
from portal_app.infra.redis.refusals import refusal_of, write_probe
from portal_app.wiring.portal import Portal, portal

# Balancers ask every few seconds, several at a time: what they are told is this old at most.
_KEPT_SECONDS = 2.0
# A server that needs longer is of no use to customers.
_DEADLINE_SECONDS = 3
# Set by the process that serves built pages (portal_app/jobs/web.py); in `portal dev` Reflex serves its own.
_SERVES_BUILT_PAGES = "__REFLEX_MOUNT_FRONTEND_COMPILED_APP"
_log = structlog.get_logger(__name__)


class NotReady(Exception):
    """A part does not fit; `str` is the reason for operators, `detail` what a server said, for the log alone."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


class Readiness:
    """Checks each part of this process's portal, and logs each fault once."""

    def __init__(self, *, kept_seconds: float = _KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._lock = asyncio.Lock()
        self._of: Portal | None = None
        self._at = 0.0
        self._reasons: dict[str, str] = {}
        self._logged: dict[str, str] = {}
        self._has_fitted = False

    async def reasons(self) -> dict[str, str]:
        """Return why each part does not fit, empty for one that does; found within the last two seconds."""
        async with self._lock:
            if self._of is not portal():
                self._of, self._at, self._has_fitted = portal(), -math.inf, False
            if time.monotonic() - self._at >= self._kept_seconds:
                checks = {"database": _database(), "schema": self._schema(), "redis": _redis(), "frontend": _frontend()}
                found = await asyncio.gather(*(self._reason_of(part, check) for part, check in checks.items()))
                self._reasons, self._at = dict(zip(checks, found, strict=True)), time.monotonic()
            return self._reasons

    async def _reason_of(self, part: str, check: Awaitable[None]) -> str:
        reason, detail = "", ""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await check
        except NotReady as error:
            reason, detail = str(error), error.detail
        except TimeoutError:
            reason = f"no answer within {_DEADLINE_SECONDS} s"
        before = self._logged.pop(part, "")
        if reason:
            self._logged[part] = reason
        if reason and reason != before:
            _log.error("ready.failed", part=part, reason=reason, detail=detail[:300])
        elif before and not reason:
            _log.info("ready.again", part=part)
        return reason

    async def _schema(self) -> None:
        try:
            schema = await portal().database.schema()
        except ExternalUnavailable:
            # The database's own part says why.
            return
        if schema.state == "fits":
            self._has_fitted = True
        elif schema.state == "ahead" and self._has_fitted:
            # Migrated while this process runs: an update begins, and this process goes on until its turn comes.
            _log.debug("ready.schema_ahead", revision=schema.revision)
        else:
            raise NotReady(schema.reason)


async def _database() -> None:
    try:
        await portal().database.ping()
    except ExternalUnavailable as error:
        raise NotReady(_words_of(str(error)), str(error)) from error


async def _redis() -> None:
    try:
        await write_probe(portal().redis)
    except (RedisError, OSError) as error:
        raise NotReady(refusal_of(error), f"{type(error).__name__}: {error}") from error


async def _frontend() -> None:
    if os.environ.get(_SERVES_BUILT_PAGES) != "true":
        return
    if not await asyncio.to_thread(_are_pages_current, client_folder()):
        raise NotReady(OUTDATED_PAGES)


@cache
def _are_pages_current(client: Path) -> bool:
    """Say whether the pages belong to this code; once per process, as neither changes while it runs."""
    return is_built_from(client, stamp_of(ROOT))


def _words_of(said: str) -> str:
    """Return what operators may read of PostgreSQL's answer at a public address: no names, no addresses."""
    known = {
        "password authentication failed": "PostgreSQL refuses the password",
        "no password supplied": "PostgreSQL asks for a password",
        "does not exist": "PostgreSQL has no such database or role",
        "no pg_hba.conf entry": "PostgreSQL does not let this host in",
        "too many": "PostgreSQL has no connection left",
        "read-only": "PostgreSQL takes no writes",
    }
    return next((words for part, words in known.items() if part in said), "PostgreSQL does not answer")
