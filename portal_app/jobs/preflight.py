"""Checks before a process begins: what no restart corrects ends it with 78 and names the setting."""

import asyncio
from collections.abc import Sequence

from portal_app.infra.checks import database, machine
from portal_app.infra.checks.check import Check, Process, problems_of, run_checks
from portal_app.infra.settings import Settings
from portal_app.infra.start import refuse_to_start


def start_checks(settings: Settings, process: Process) -> list[Check]:
    """Return those of the doctor's checks without which a process is useless."""
    return [*machine.start_checks(settings, process), *database.start_checks(settings, process)]


def refuse_if_useless(checks: Sequence[Check]) -> None:
    """Exit with 78 for what no restart corrects, with one line for each.

    A server that is away is no fault of the settings: the process begins and waits for it.
    """
    found = problems_of(asyncio.run(run_checks(checks)))
    if final := [problem.as_finding() for problem in found if problem.is_final]:
        refuse_to_start(*final)
