"""Measures and prints: `python -m benchmarks [--work FOLDER] [NAME ...]`; without a name, everything."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks import (
    alerts,
    api,
    approval,
    bus,
    catalogue,
    checkout,
    dashboards,
    entry,
    events,
    forecasting,
    help,
    lanes,
    pages,
    paging,
    start,
    uploads,
)
from benchmarks.demo import ROOT
from benchmarks.stage import Stage
from benchmarks.table import Row, as_text
from portal_app.local.frontend import build_frontend
from portal_app.local.supervisor import print_line

MEASUREMENTS: dict[str, Callable[[Stage], list[Row]]] = {
    "start": start.measure,
    "pages": pages.measure,
    "events": events.measure,
    "approval": approval.measure,
    "checkout": checkout.measure,
    "catalogue": catalogue.pages,
    "api": api.measure,
    "paging": paging.measure,
    "dashboards": dashboards.measure,
    "entry": entry.measure,
    "lanes": lanes.measure,
    "forecast": forecasting.rows,
    "alerts": alerts.measure,
    "bus": bus.measure,
    "stampede": catalogue.stampede,
    "uploads": uploads.measure,
    "help": help.measure,
}

WITHOUT_PAGES = {"lanes", "bus", "stampede", "forecast", "alerts", "help"}


def main() -> int:
    """Run the chosen measurements, or all; return 1 if one misses its goal."""
    options = _options()
    rows: list[Row] = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-bench-")))
        stage = Stage(Path(options.work or scratch).resolve(), scratch, stack)
        if not {*(options.names or MEASUREMENTS)} <= WITHOUT_PAGES:
            build_frontend(ROOT, env={"PORTAL_ENV": "development"})
        # Prints the finished measurements also if a later one fails.
        stack.callback(lambda: print(as_text(rows)))
        for name in options.names or MEASUREMENTS:
            print_line(f"Measuring: {name} ...")
            rows += MEASUREMENTS[name](stage)
    return int(any(row.is_ok is False for row in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of: {', '.join(MEASUREMENTS)}")
    parser.add_argument("--work", help="a folder to keep the built peers in, so that the next run is quicker")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())
