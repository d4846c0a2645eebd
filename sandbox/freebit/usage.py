"""Traffic: what a line uses each day, at a steady pace or by a pattern with a seed, and what is left of its data."""

import hashlib
import random
from datetime import date, datetime, timedelta
from math import log, sqrt

from sandbox.freebit.codes import Body, not_allowed
from sandbox.freebit.fields import OFF, ON, account
from sandbox.freebit.network import TIMEZONE, Network, midnight
from sandbox.store import Document

RECENT_DAYS = 7
KB_PER_MB = 1024
_DAY = timedelta(days=1)


def get_traffic_info(network: Network, body: Body) -> Body:
    """PA05-01: today and the days before, in KB as text; one account a call."""
    line = network.line(account(body))
    if line["state"] not in ("active", "suspended"):
        raise not_allowed(line["state"])
    if line["share_group"] or not line["plan"]:
        raise not_allowed("share group" if line["share_group"] else "no plan")
    faults, today = network.faults, midnight(network.today())
    until = network.now() - timedelta(minutes=faults.level("freebit", "usage_late"))
    unit, gap = faults.level("freebit", "usage_unit") or 1, faults.level("freebit", "usage_gap")
    days = [
        "" if back == gap else str(unit * used(line, today - back * _DAY, min(until, today - (back - 1) * _DAY)))
        for back in range(1, (faults.level("freebit", "recent_days") or RECENT_DAYS) + 1)
    ]
    if faults.level("freebit", "usage_order"):
        days.reverse()
    traffic = {
        "today": str(unit * used(line, today, until)),
        "inRecentDays": ",".join(days),
        "blackList": ON if remaining_mb(network, line) <= 0 else OFF,
    }
    return {"account": line["account"], "traffic": traffic}


def used(line: Document, start: datetime, end: datetime) -> int:
    """Return the KB a line used between two moments; nothing before it became active or while it was suspended."""
    if not line["started_at"]:
        return 0
    begin = max(start, datetime.fromisoformat(line["started_at"]).astimezone(TIMEZONE))
    total, day = 0.0, begin.astimezone(TIMEZONE).date()
    while midnight(day) < end:
        span = (max(begin, midnight(day)), min(end, midnight(day + _DAY)))
        total += day_kb(line, day) * _active_seconds(line, *span) / _DAY.total_seconds()
        day += _DAY
    extra = [each for each in line["extra"] if begin <= datetime.fromisoformat(each["at"]) < end]
    return int(total) + sum(each["kb"] for each in extra)


def day_kb(line: Document, day: date) -> float:
    """Return what a line uses on a whole day: by its pattern, without one at a steady pace of its own."""
    use = line["use"]
    if not use:
        # Between 90 and 260 MB a day.
        return _DAY.total_seconds() * (1 + hashlib.sha256(line["account"].encode()).digest()[0] / 128)
    sigma = sqrt(log(1 + use["variation"] ** 2))
    chance = random.Random(f"{use['seed']}-{line['account']}-{day}")
    factor = use["weekdays"][day.weekday()] * chance.lognormvariate(-sigma * sigma / 2, sigma)
    return float(use["mean_mb"] * KB_PER_MB * factor)


def remaining_mb(network: Network, line: Document) -> int:
    """Return what is left this month of the plan's data and of top-ups that have not expired, in MB.

    A month uses the plan's data first and then top-ups, those that expire soonest first.
    """
    if not line["plan"]:
        return 0
    plan_mb, today = int(network.plan(line["plan"])["mb"]), network.today()
    top_ups = sorted((_TopUp(each) for each in line["top_ups"]), key=lambda each: each.expires_on)
    month = min([each.added_on for each in top_ups], default=today).replace(day=1)
    left = plan_mb
    while month <= today:
        following = (month + 31 * _DAY).replace(day=1)
        over = used(line, midnight(month), min(network.now(), midnight(following))) // KB_PER_MB - plan_mb
        left = max(0, -over)
        for each in top_ups:
            if each.is_good_in(month, following):
                over -= each.use(max(0, over))
        month = following
    return left + sum(each.left for each in top_ups if each.expires_on >= today)


class _TopUp:
    def __init__(self, stored: Document) -> None:
        self.left = int(stored["quota"])
        self.added_on = datetime.fromisoformat(stored["at"]).astimezone(TIMEZONE).date()
        month_end = (self.added_on.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
        self.expires_on = datetime.strptime(stored["expire"], "%Y%m%d").date() if stored["expire"] else month_end

    def is_good_in(self, month: date, following: date) -> bool:
        return self.added_on < following and self.expires_on >= month

    def use(self, wanted: int) -> int:
        taken = min(self.left, wanted)
        self.left -= taken
        return taken


def _active_seconds(line: Document, start: datetime, end: datetime) -> float:
    seconds = (end - start).total_seconds()
    for pause in line["pauses"]:
        begin = max(start, datetime.fromisoformat(pause["from"]))
        stop = min(end, datetime.fromisoformat(pause["to"]) if pause["to"] else end)
        seconds -= max(0.0, (stop - begin).total_seconds())
    return max(0.0, seconds)
