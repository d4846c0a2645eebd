"""`portal doctor`: whether the portal would work on this machine with these settings, and what to do where not."""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import psycopg
from pydantic import ValidationError

from portal_app.infra.checks.ca_files import ca_checks
from portal_app.infra.checks.check import Check, Outcome, Problem, Process, Unfit, run_checks
from portal_app.infra.checks.database import database_checks, row_of
from portal_app.infra.checks.machine import machine_checks
from portal_app.infra.checks.mail_server import mail_checks
from portal_app.infra.checks.public_address import address_checks
from portal_app.infra.checks.redis_server import redis_checks
from portal_app.infra.checks.virus_scanner import scanner_checks
from portal_app.infra.log.logs import set_up_logs
from portal_app.infra.production import Finding
from portal_app.infra.settings import Settings
from portal_app.infra.start import EX_CONFIG, refusals
from portal_app.integrations.checks.build import vendor_checks
from portal_app.integrations.checks.whmcs import OurRecords

_WORDS = {"ok": "ok", "warning": "WARNING", "failed": "WRONG", "skipped": "skipped"}
_ANY_CLIENT = "SELECT whmcs_client_id AS id FROM id_mappings ORDER BY created_at DESC LIMIT 1"
_LAST_HOOK = "SELECT max(received_at) AS at FROM inbox WHERE source = 'whmcs'"


async def diagnose(
    settings: Settings, process: Process = "all", *, only: Sequence[str] = (), seconds: float | None = None
) -> list[Outcome]:
    """Run the checks of what a process uses and return their outcomes; `only` names groups or single checks.

    Checks that a chosen one depends on run too, so that their fault is not told as its own.
    """
    ours = None if process == "web" else _records(settings)
    async with vendor_checks(settings, ours) as of_vendors:
        checks = [*_own_checks(settings, process), *of_vendors, *_edge_checks(settings, process)]
        return await run_checks(_chosen(checks, only), seconds=seconds)


def report(outcomes: Sequence[Outcome], *, as_json: bool) -> str:
    """Return the outcomes as text for people or JSON for programs."""
    if as_json:
        status = "failed" if exit_code(outcomes) else "ok"
        return json.dumps({"status": status, "checks": [asdict(each) for each in outcomes]}, indent=2) + "\n"
    lines: list[str] = []
    for each in outcomes:
        lines.append(f"{_WORDS[each.status]:<8} {each.title:<36} {each.detail}".rstrip())
        lines += [line for problem in each.problems for line in _told(problem)]
    wrong = len([each for each in outcomes if each.status == "failed"])
    lines.append("")
    lines.append(f"{wrong} of {len(outcomes)} checks found something wrong." if wrong else "Nothing is wrong.")
    return "\n".join(lines) + "\n"


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Return 1 where a check failed, else 0: warnings and skipped checks are no failure."""
    return int(any(each.status == "failed" for each in outcomes))


def report_refused(found: Sequence[Finding], *, as_json: bool) -> str:
    """Return the settings that are refused as text or JSON."""
    if as_json:
        return json.dumps({"status": "refused", "refused": [asdict(each) for each in found]}, indent=2) + "\n"
    lines = [f"{'WRONG':<8} {each}" for each in found]
    return "\n".join([*lines, "", "No process starts with these settings."]) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Run the command: 0 fine, 1 a check failed, 78 settings that no process starts with."""
    given = _parsed(arguments)
    try:
        settings = Settings()
    except ValidationError as error:
        sys.stdout.write(report_refused(refusals(error), as_json=given.json))
        return EX_CONFIG
    set_up_logs(process="doctor", log_format=settings.portal_log_format, level="CRITICAL")
    only = [name.strip() for name in given.only.split(",") if name.strip()]
    outcomes = asyncio.run(diagnose(settings, given.process, only=only, seconds=given.seconds))
    if not outcomes:
        sys.stdout.write(f"No check is named {given.only}.\n")
        return 2
    sys.stdout.write(report(outcomes, as_json=given.json))
    return exit_code(outcomes)


def _parsed(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="portal doctor")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--process", choices=("all", "web", "worker", "listener"), default="all")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=None)
    return parser.parse_args(arguments)


def _own_checks(settings: Settings, process: Process) -> list[Check]:
    async def environment() -> str:
        if settings.portal_env == "development":
            wrong = "PORTAL_ENV is development: the rules of production were not asked."
            do = "Leave PORTAL_ENV unset where customers come."
            raise Unfit(Problem(wrong, do, "PORTAL_ENV", is_warning=True))
        return "fit for production"

    return [
        Check("settings.environment", "Settings", environment),
        *machine_checks(settings, process),
        *ca_checks(settings),
        *database_checks(settings, process),
        *redis_checks(settings),
    ]


def _edge_checks(settings: Settings, process: Process) -> list[Check]:
    address = address_checks(settings) if process in ("web", "all") else []
    return [*mail_checks(settings), *scanner_checks(settings), *address]


def _records(settings: Settings) -> OurRecords:
    async def any_client() -> int | None:
        return (await _row(settings, _ANY_CLIENT)).get("id")

    async def last_hook() -> datetime | None:
        return (await _row(settings, _LAST_HOOK)).get("at")

    return OurRecords(any_client, last_hook)


async def _row(settings: Settings, question: str) -> dict[str, Any]:
    try:
        return await row_of(settings, "worker", question)
    except psycopg.Error as error:
        wrong = "The portal's own database does not answer, so this is not seen."
        raise Unfit(Problem(wrong, "See PostgreSQL.", "DATABASE_WORKER_URL")) from error


def _chosen(checks: Sequence[Check], only: Sequence[str]) -> list[Check]:
    if not only:
        return list(checks)
    by_name = {check.name: check for check in checks}
    wanted = {check.name for check in checks if check.name in only or check.name.partition(".")[0] in only}
    waiting = list(wanted)
    while waiting:
        needed = {name for name in by_name[waiting.pop()].after if name in by_name} - wanted
        wanted |= needed
        waiting += needed
    return [check for check in checks if check.name in wanted]


def _told(problem: Problem) -> list[str]:
    setting = f" ({problem.setting})" if problem.setting and problem.setting not in problem.wrong + problem.do else ""
    return [f"           {problem.wrong}{setting}", f"           do: {problem.do}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
