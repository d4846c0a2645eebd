"""`python -m benchmarks.soak [orders|hooks|replies|top-ups]`: the long runs, or all; ends with 1 if one was wrong."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Iterator
from typing import Any

from benchmarks.soak.hooks import soak_hooks
from benchmarks.soak.orders import soak_orders
from benchmarks.soak.replies import soak_replies
from benchmarks.soak.report import Report
from benchmarks.soak.top_ups import soak_top_ups
from portal_app.infra.log.logs import set_up_logs

# About what four workers get done on two cores while one of them is always starting.
_ORDERS_A_MINUTE = 50.0


def main() -> int:
    """Run what was asked for and return the exit code."""
    told = _parser().parse_args()
    set_up_logs(process="soak", log_format="text", level="CRITICAL")
    are_clean = [_is_clean(run) for run in _runs(told)]
    return 0 if all(are_clean) else 1


def _runs(told: argparse.Namespace) -> Iterator[Coroutine[Any, Any, Report]]:
    if told.kind in (None, "hooks"):
        yield soak_hooks(hours=told.hours, customers=told.customers, seed=told.seed)
    if told.kind in (None, "top-ups"):
        trouble = {"minutes": told.top_up_minutes, "flaky": told.flaky, "rest": told.rest, "seed": told.seed}
        yield soak_top_ups(top_ups=told.top_ups, **trouble)
    if told.kind in (None, "replies"):
        yield soak_replies(replies=told.replies, customers=told.writers, minutes=told.outage)
    if told.kind in (None, "orders"):
        minutes = told.minutes or told.orders / _ORDERS_A_MINUTE
        trouble = {"minutes": minutes, "flaky": told.flaky, "rest": told.rest, "seed": told.seed}
        yield soak_orders(orders=told.orders, **trouble)


def _is_clean(run: Coroutine[Any, Any, Report]) -> bool:
    report = asyncio.run(run)
    sys.stdout.write(report.text())
    sys.stdout.flush()
    return report.is_clean()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = ("orders", "hooks", "replies", "top-ups")
    parser.add_argument("kind", nargs="?", choices=kinds, help="one of them; all if left out")
    parser.add_argument("--seed", type=int, default=1, help="decides what is left to chance, but for time itself")
    orders = parser.add_argument_group("orders")
    orders.add_argument("--orders", type=int, default=500)
    orders.add_argument("--minutes", type=float, default=0, help="how long the trouble lasts; by the number of orders")
    orders.add_argument("--flaky", type=float, default=0.1, help="share of vendor calls that fail")
    # Long enough for the schedule to find what a lost event told: every five minutes, after two.
    orders.add_argument("--rest", type=float, default=480.0, help="seconds in which all has to come to rest afterwards")
    bought = parser.add_argument_group("top-ups")
    bought.add_argument("--top-ups", type=int, default=300)
    bought.add_argument("--top-up-minutes", type=float, default=4.0, help="how long their trouble lasts")
    hooks = parser.add_argument_group("hooks")
    hooks.add_argument("--hours", type=float, default=24, help="hours of the day")
    hooks.add_argument("--customers", type=int, default=40)
    replies = parser.add_argument_group("replies")
    replies.add_argument("--replies", type=int, default=100)
    replies.add_argument("--writers", type=int, default=20)
    replies.add_argument("--outage", type=float, default=10.0, help="minutes in which Salesforce is away")
    return parser


if __name__ == "__main__":
    sys.exit(main())
