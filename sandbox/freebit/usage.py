"""Traffic: it grows steadily with the clock, at a pace of each line's own."""

import hashlib
from datetime import UTC, datetime, timedelta

from sandbox.freebit.codes import Body, not_allowed
from sandbox.freebit.fields import OFF, ON, account
from sandbox.freebit.network import Network, midnight
from sandbox.store import Document

RECENT_DAYS = 7
KB_PER_MB = 1024


def get_traffic_info(network: Network, body: Body) -> Body:
    """PA05-01: today and the days before, in KB as text; one account a call."""
    line = network.line(account(body))
    if line["state"] not in ("active", "suspended"):
        raise not_allowed(line["state"])
    if line["share_group"] or not line["plan"]:
        raise not_allowed("share group" if line["share_group"] else "no plan")
    today = midnight(network.today())
    days = [
        used(line, today - timedelta(days=back), today - timedelta(days=back - 1)) for back in range(1, RECENT_DAYS + 1)
    ]
    traffic = {
        "today": str(used(line, today, network.now())),
        "inRecentDays": ",".join(map(str, days)),
        "blackList": ON if remaining_mb(network, line) <= 0 else OFF,
    }
    return {"account": line["account"], "traffic": traffic}


def used(line: Document, start: datetime, end: datetime) -> int:
    """Return the KB a line used between two moments; nothing before it became active."""
    if not line["started_at"]:
        return 0
    begin = max(start, datetime.fromisoformat(line["started_at"]))
    seconds = max((end - begin).total_seconds(), 0)
    # Between 90 and 260 MB a day.
    return int(seconds * (1 + hashlib.sha256(line["account"].encode()).digest()[0] / 128))


def remaining_mb(network: Network, line: Document) -> int:
    """Return what is left this month of the plan's data and of top-ups that have not expired, in MB."""
    if not line["plan"]:
        return 0
    month = midnight(network.today().replace(day=1))
    today = network.today().strftime("%Y%m%d")
    topped_up = sum(
        int(each["quota"])
        for each in line["top_ups"]
        if (each["expire"] or "99991231") >= today and datetime.fromisoformat(each["at"]) >= month.astimezone(UTC)
    )
    return int(network.plan(line["plan"])["mb"]) + topped_up - used(line, month, network.now()) // KB_PER_MB
