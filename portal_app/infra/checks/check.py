"""One check and what it found, and a runner that runs many side by side, each with its own deadline."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from portal_app.infra.production import Finding

Status = Literal["ok", "warning", "failed", "skipped"]
# What a machine runs; a command at a terminal looks at all of it.
Process = Literal["web", "worker", "listener", "all"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and what to do, each a sentence for an operator; never a secret's value.

    `is_final`: neither a restart nor waiting corrects it, so a process ends at its start. `is_warning`: the portal
    works, worse than it could.
    """

    wrong: str
    do: str
    setting: str = ""
    is_final: bool = False
    is_warning: bool = False

    def as_finding(self) -> Finding:
        """Return the line with which a process refuses to start."""
        return Finding(self.setting, f"must be corrected: {self.wrong} {self.do}")


class Unfit(Exception):
    """A check found something wrong."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(each.wrong for each in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Check:
    """A check: `run` returns what it saw in a few words, or raises Unfit.

    It does not run where one of those named in `after`, which stand before it in the list, failed.
    """

    name: str
    title: str
    run: Callable[[], Coroutine[Any, Any, str]]
    seconds: float = 10.0
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a check: `detail` is what it saw, or why it did not run."""

    name: str
    title: str
    status: Status
    detail: str = ""
    problems: tuple[Problem, ...] = ()


async def run_checks(checks: Sequence[Check], *, seconds: float | None = None) -> list[Outcome]:
    """Run all checks side by side and return their outcomes in the same order. `seconds` replaces each deadline."""
    tasks: dict[str, asyncio.Task[Outcome]] = {}
    async with asyncio.TaskGroup() as group:
        for each in checks:
            check = each if seconds is None else replace(each, seconds=seconds)
            before = [tasks[name] for name in check.after if name in tasks]
            tasks[check.name] = group.create_task(_outcome(check, before))
    return [task.result() for task in tasks.values()]


def problems_of(outcomes: Sequence[Outcome]) -> list[Problem]:
    """Return every problem that was found."""
    return [problem for outcome in outcomes for problem in outcome.problems]


async def _outcome(check: Check, before: Sequence[asyncio.Task[Outcome]]) -> Outcome:
    for task in before:
        if (found := await task).status in ("failed", "skipped"):
            return Outcome(check.name, check.title, "skipped", f"not looked at: see {found.title}")
    try:
        async with asyncio.timeout(check.seconds):
            detail = await check.run()
    except Unfit as error:
        is_warning = all(problem.is_warning for problem in error.problems)
        return Outcome(check.name, check.title, "warning" if is_warning else "failed", problems=error.problems)
    except TimeoutError:
        return _failed(check, f"There was no answer within {check.seconds:g} s.", "Look whether it is slow or away.")
    except Exception as error:
        # One check that breaks must not hide what the others found.
        return _failed(check, f"The check broke: {type(error).__name__}.", "Report it; the other checks count.")
    return Outcome(check.name, check.title, "ok", detail)


def _failed(check: Check, wrong: str, do: str) -> Outcome:
    return Outcome(check.name, check.title, "failed", problems=(Problem(wrong, do),))
