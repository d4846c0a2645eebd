"""A long thread against a short one, warm and cold; a list of a thousand cases against one of twenty."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from uuid import UUID

from benchmarks.demo import BEN, Demo
from benchmarks.stage import Stage
from benchmarks.support.both_sides import BothSides, both_sides
from benchmarks.table import Row, versus, within
from portal_app.infra.clock import now
from portal_app.infra.settings import Settings
from portal_app.models.support import CaseRow
from portal_app.wiring.portal import build

SHORT, LONG = 20, 500
FEW, MANY = 20, 1000
MOST, MOST_CALLS = 1.5, 2
AIKO = "aiko@example.jp"
_TURNS, _WARM_UP, _COLD_TURNS = 40, 5, 7
# So long does Salesforce itself take for an answer, whatever is in it.
_ANSWER_SECONDS = 0.3
_FORGET = "DELETE FROM support_entries WHERE case_id = %(case)s"
_UNREAD = "UPDATE support_cases SET read_at = NULL, stale_at = NULL WHERE id = %(case)s"
# In the future, so that no read of Salesforce removes the cases during a measurement.
_YOUNG = """
INSERT INTO mirror_states (user_id, kind, read_at) VALUES (%(user)s, 'cases', now() + interval '1 day')
ON CONFLICT (user_id, kind) DO UPDATE SET read_at = excluded.read_at
"""


@dataclass(frozen=True, slots=True)
class _Taken:
    """The median of some requests: milliseconds, and the calls to Salesforce that each caused."""

    ms: float
    calls: float


def measure(stage: Stage) -> list[Row]:
    """Ask for both in turn."""
    with both_sides(stage.support) as sides:
        return [*_threads(sides), *_lists(sides)]


def _threads(sides: BothSides) -> list[Row]:
    cases = [_talk(sides, count) for count in (SHORT, LONG)]
    paths = [f"/api/cases/{case_id}" for case_id, _ in cases]
    warm = _in_turn(sides, paths, _WARM_UP + _TURNS, lambda path: None)
    sides.set_faults(slow=_ANSWER_SECONDS)
    cold = _in_turn(sides, paths, 1 + _COLD_TURNS, lambda path: _forget(sides, path.rpartition("/")[2]))
    sides.set_faults()
    name = f"thread: {LONG} entries"
    return [
        versus(f"{name}, warm", warm[1].ms, "ms", peer=(f"{SHORT} entries", warm[0].ms), most=MOST),
        within(f"{name}, warm: calls to Salesforce", warm[1].calls, "", limit=0),
        versus(f"{name}, cold", cold[1].ms, "ms", peer=(f"{SHORT} entries", cold[0].ms), most=MOST),
        within(f"{name}, cold: calls to Salesforce", cold[1].calls, "", limit=MOST_CALLS),
    ]


def _talk(sides: BothSides, entries: int) -> tuple[str, str]:
    """Return a case with so many entries that the portal has read."""
    case_id, sf_case_id = sides.ask(f"{entries} entries")
    sides.agent(sf_case_id, "burst", count=entries - 1, text="We look into it, please wait a little.")
    query = "SELECT 1 FROM support_entries WHERE case_id = %s HAVING count(*) >= " + str(entries)
    sides.first(query, case_id)
    _forget(sides, case_id)
    sides.customer.get(f"/api/cases/{case_id}").raise_for_status()
    # In the future, so that it stays warm.
    sides.database.execute("UPDATE support_cases SET read_at = now() + interval '1 day' WHERE id = %s", (case_id,))
    return case_id, sf_case_id


def _forget(sides: BothSides, case_id: str) -> None:
    for statement in (_FORGET, _UNREAD):
        sides.database.execute(statement, {"case": case_id})


def _lists(sides: BothSides) -> list[Row]:
    _give_cases(sides, BEN, FEW)
    with sides.demo.signed_in(AIKO) as aiko:
        _give_cases(sides, AIKO, MANY)
        took: list[list[float]] = [[], []]
        for turn in range(_WARM_UP + _TURNS):
            for samples, client in zip(took, (sides.customer, aiko), strict=True):
                began = time.perf_counter()
                found = client.get("/api/cases").raise_for_status().json()
                lasted = (time.perf_counter() - began) * 1000
                if len(found["items"]) < FEW:
                    raise SystemExit(f"the list has {len(found['items'])} cases")
                if turn >= _WARM_UP:
                    samples.append(lasted)
    few, many = (median(samples) for samples in took)
    return [versus(f"cases: page 1 of {MANY:,}", many, "ms", peer=(f"{FEW} cases", few), most=MOST)]


def _give_cases(sides: BothSides, email: str, count: int) -> None:
    """Make the list of a customer so long."""
    with sides.demo.signed_in(email) as client:
        client.get("/api/cases").raise_for_status()
        number = client.get("/api/me").raise_for_status().json()["customer_number"]
    user = sides.first("SELECT user_id FROM id_mappings WHERE customer_number = %s", number)
    own = sides.first("SELECT count(*) FROM support_cases WHERE user_id = %s AND NOT is_gone", user)
    asyncio.run(_write_cases(sides.demo, user, count - own))
    sides.database.execute(_YOUNG, {"user": user})


async def _write_cases(demo: Demo, user: UUID, count: int) -> None:
    """Write cases as the mirror holds them; half of them are closed."""
    settings = Settings(
        _env_file=demo.home / "sandbox" / "running.env",
        portal_env="development",
        database_url=demo.database_url(),
        redis_url=demo.redis_url(),
    )
    portal, at = build(settings, role="worker"), now()
    async with portal.database.unit_of_work() as session:
        for number in range(count):
            then = at - timedelta(hours=number)
            case = {"number": f"{number:08}", "subject": f"A question of mine, number {number}", "opened_at": then}
            sf_case_id = f"{user.hex[:8]}{number:010}"
            is_closed = number % 2 == 0
            session.add(
                CaseRow(user_id=user, sf_case_id=sf_case_id, is_closed=is_closed, last_activity_at=then, **case)
            )
    await portal.close()


def _in_turn(sides: BothSides, paths: list[str], turns: int, prepare: Callable[[str], None]) -> list[_Taken]:
    """Return the medians of each path, asked for in turn; the first turns warm up."""
    took: list[list[tuple[float, int]]] = [[] for _ in paths]
    for turn in range(turns):
        for samples, path in zip(took, paths, strict=True):
            prepare(path)
            calls, began = sides.calls(), time.perf_counter()
            answer = sides.customer.get(path).raise_for_status().json()
            lasted = (time.perf_counter() - began) * 1000
            if len(answer["entries"]) < SHORT:
                raise SystemExit(f"{path} has {len(answer['entries'])} entries")
            if turn >= min(_WARM_UP, turns // 5):
                samples.append((lasted, sides.calls() - calls))
    return [_Taken(median(ms for ms, _ in each), median(calls for _, calls in each)) for each in took]
