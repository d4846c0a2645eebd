"""The org's daily requests: background refreshes stop first, then orders, so that customers' pages still work."""

import re
import time

import structlog
from redis.asyncio import Redis

from portal_app.infra.metrics import gauge
from portal_app.infra.settings import Settings
from portal_app.integrations.throttling.limiter import call_priority
from portal_app.integrations.throttling.redis_health import AWAY
from portal_app.integrations.throttling.vendor_call import Busy

VENDOR = "salesforce"
_KEY = "salesforce:daily_requests"
_FRESH_SECONDS = 5.0
_PAUSE = 600
_USAGE = re.compile(r"api-usage=(\d{1,12})/(\d{1,12})\b", re.ASCII)
_USED = gauge("portal_salesforce_daily_requests", "The org's requests of the day", merge="max")
_log = structlog.get_logger(__name__)


class DailyBudget:
    """What every answer says of the org's usage (`Sforce-Limit-Info`), shared by all processes."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._percents = {"sync": settings.sf_background_percent, "background": settings.sf_customer_percent}
        # The known usage expires: then one call passes and reports the current usage.
        self._known_seconds = settings.sf_limit_seconds
        self._fresh_seconds = min(_FRESH_SECONDS, settings.sf_limit_seconds / 2)
        self._known = (0, 0)
        self._is_spent = False
        self._read_at = self._told_at = float("-inf")
        self._stopped: set[str] = set()

    async def require_quota(self) -> None:
        """Raise Busy when this kind of work has to stop for today."""
        await self._refresh()
        priority = call_priority.get()
        used, total = self._known
        percent = self._percents.get(priority, 101)
        is_stopped = bool(total) and (self._is_spent or used * 100 >= total * percent)
        if is_stopped != (priority in self._stopped):
            self._stopped ^= {priority}
            event = "salesforce.budget_spent" if is_stopped else "salesforce.budget_back"
            _log.warning(event, priority=priority, used=used, total=total)
        if is_stopped:
            error = Busy(f"{used} of {total} daily requests are used", vendor=VENDOR)
            error.retry_after = _PAUSE
            raise error

    async def record_usage(self, limit_info: str | None, *, is_spent: bool = False) -> None:
        """Learn from an answer's header, and whether the answer refuses every call for the rest of the day."""
        found = _USAGE.search(limit_info or "")
        if found:
            await self._tell(int(found[1]), int(found[2]), is_spent=is_spent)
        elif is_spent:
            used, total = self._known
            await self._tell(max(used, 1), max(total, 1), is_spent=True)

    def state(self) -> dict[str, int]:
        """Return what is known, zeros where nothing is."""
        used, total = self._known
        return {"used": used, "total": total}

    async def _tell(self, used: int, total: int, *, is_spent: bool) -> None:
        changed = is_spent != self._is_spent
        self._known, self._is_spent = (used, total), is_spent
        _USED.set(used)
        now = time.monotonic()
        self._read_at = now
        if changed or now >= self._told_at + self._fresh_seconds:
            self._told_at = now
            try:
                await self._redis.set(_KEY, f"{used}/{total}/{int(is_spent)}", ex=self._known_seconds)
            except AWAY as error:
                _log.debug("salesforce.budget_not_told", error=type(error).__name__)

    async def _refresh(self) -> None:
        if time.monotonic() < self._read_at + self._fresh_seconds:
            return
        self._read_at = time.monotonic()
        try:
            kept = await self._redis.get(_KEY)
        except AWAY:
            return
        used, total, is_spent = (int(part) for part in kept.split(b"/")) if kept else (0, 0, 0)
        self._known, self._is_spent = (used, total), bool(is_spent)
