"""Two hundred comments of agents on fifty cases within ten seconds: how often Salesforce is read, and who is mailed."""

import time
from collections import Counter

from benchmarks.stage import Stage
from benchmarks.support.both_sides import both_sides
from benchmarks.table import Row, within

CASES, COMMENTS, SECONDS = 50, 200, 10.0
# The mails of a case wait for a minute for further answers.
_BATCH_SECONDS, _LONGEST_SECONDS = 60.0, 60.0
_WRITTEN = "SELECT count(*) FROM support_entries WHERE case_id = ANY(%s) AND side = 'team'"
_MAILS = "SELECT cardinality(ARRAY(SELECT jsonb_array_elements(mail_ids))) FROM support_cases WHERE id = ANY(%s)"


def measure(stage: Stage) -> list[Row]:
    """Write them evenly, and count until all mails have been stored."""
    with both_sides(stage.support) as sides:
        cases = [sides.ask(f"Case {number}") for number in range(CASES)]
        ids = [case_id for case_id, _ in cases]
        before, began = _reads(sides.office.get("/calls").json()), time.monotonic()
        for number in range(COMMENTS):
            sides.agent(cases[number % CASES][1], "comment", text=f"Answer {number}")
            time.sleep(max(0.0, began + (number + 1) * SECONDS / COMMENTS - time.monotonic()))
        deadline = time.monotonic() + _LONGEST_SECONDS
        while _count(sides.database.execute(_WRITTEN, (ids,)).fetchone()) < COMMENTS:
            if time.monotonic() > deadline:
                raise SystemExit("not every comment was taken over")
            time.sleep(0.1)
        seconds = time.monotonic() - began
        reads = _reads(sides.office.get("/calls").json()) - before
        time.sleep(_BATCH_SECONDS)
        while min(mails := [row[0] for row in sides.database.execute(_MAILS, (ids,))]) < 1:
            if time.monotonic() > deadline + _BATCH_SECONDS:
                raise SystemExit(f"mails by case: {Counter(mails)}")
            time.sleep(0.5)
    name = f"{COMMENTS} comments on {CASES} cases in {SECONDS:g} s"
    return [
        within(f"{name}: threads read per case and second", reads / CASES / seconds, "", limit=1),
        within(f"{name}: seconds until all are here", seconds, "s", limit=SECONDS * 2),
        within(f"{name}: most mails of a case", max(mails), "", limit=1),
    ]


def _reads(calls: dict[str, dict[str, int]]) -> int:
    """Return how many threads were read so far: each is one composite call."""
    return calls["salesforce"].get("composite", 0)


def _count(row: tuple[int, ...] | None) -> int:
    return row[0] if row else 0
