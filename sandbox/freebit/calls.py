"""Calls and SMS of lines with voice: the same for a line and a day each time, as the carrier's file tells them."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sandbox.freebit.network import Network, midnight, written
from sandbox.store import Document

HEAD = "account,datetime,type,number,seconds,charge"
# Nobody has these numbers.
_OTHERS = ("0300000012", "09000000034", "08000000056", "05000000078", "0120000090")
_FREE, _YEN_A_UNIT, _UNIT_SECONDS, _SMS_YEN = "0120", 11, 30, 3
_DAY_SECONDS = 86400


def call_rows(network: Network, days: int) -> Iterator[str]:
    """Yield the rows of all lines with voice that are over, oldest day first."""
    today = network.today()
    for line in network.lines():
        if not line["started_at"] or not network.plan(line["plan"])["voice"]:
            continue
        for back in range(days, -1, -1):
            day = today - timedelta(days=back)
            if written(line["started_at"]) <= written(day):
                yield from (row for at, row in sorted(_of_day(line, day)) if at < network.now())


def _of_day(line: Document, day: date) -> Iterator[tuple[datetime, str]]:
    chance = random.Random(f"calls-{line['account']}-{day}")
    for kind in chance.choices(("voice", "sms"), weights=(3, 2), k=chance.choice((0, 0, 1, 1, 2, 3))):
        at = midnight(day) + timedelta(seconds=chance.randrange(7 * 3600, _DAY_SECONDS))
        other, seconds = chance.choice(_OTHERS), 0 if kind == "sms" else chance.randrange(5, 1500)
        units = -(-seconds // _UNIT_SECONDS)
        charge = _SMS_YEN if kind == "sms" else 0 if other.startswith(_FREE) else units * _YEN_A_UNIT
        yield at, f"{line['account']},{at:%Y%m%d%H%M%S},{kind},{other},{seconds},{charge}"
