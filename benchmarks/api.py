"""Requests per second of the cached invoice list, compared with an equal NestJS service and with a bare route."""

from statistics import median

from benchmarks.bills import give_invoices
from benchmarks.demo import cookie_line
from benchmarks.load import answers_per_second
from benchmarks.peers.serve import bare_route
from benchmarks.stage import Stage
from benchmarks.table import Row, at_least, versus

PATH = "/api/invoices"
ROWS = 100
ROUNDS = 3
AS_WRITTEN, TUNED = 1.5, 1.1
_WARM_UP_SECONDS = 1
# A URL and its Cookie header.
Target = tuple[str, str]


def measure(stage: Stage) -> list[Row]:
    """Load all servers in turn. Each is one process, and each except the bare route queries its Valkey."""
    with stage.demo.signed_in() as ben:
        give_invoices(stage.demo, ben, ROWS)
        path = f"{PATH}?limit={ROWS}"
        found = ben.get(path).raise_for_status()
        if (rows := len(found.json()["items"])) != ROWS:
            raise SystemExit(f"{path} lists {rows} invoices")
        answer = found.content
        with bare_route(stage.scratch, answer) as bare:
            targets = {"ours": (stage.demo.url + path, cookie_line(ben)), "bare": (bare + PATH, "")}
            if stage.nest is not None:
                stage.nest.keep(answer)
                targets["written"] = stage.nest.url + PATH, stage.nest.cookies
                targets["tuned"] = f"{stage.nest.url}{PATH}/tuned", stage.nest.cookies
            rates = _rates(targets)
    name = f"api: cached {PATH}, {ROWS} rows, {len(answer)} bytes"
    ours = rates["ours"]
    rows = [versus(name, ours, "req/s", peer=("bare route", rates["bare"]))]
    if stage.nest is not None:
        rows.append(at_least(name, ours, "req/s", peer=("NestJS as written", rates["written"]), least=AS_WRITTEN))
        rows.append(at_least(name, ours, "req/s", peer=("NestJS tuned", rates["tuned"]), least=TUNED))
    return rows


def _rates(targets: dict[str, Target]) -> dict[str, float]:
    """Return the median rate of each server over alternating rounds."""
    rates: dict[str, list[float]] = {name: [] for name in targets}
    for url, cookies in targets.values():
        answers_per_second(url, cookies=cookies, seconds=_WARM_UP_SECONDS)
    for _ in range(ROUNDS):
        for name, (url, cookies) in targets.items():
            rate, answers = answers_per_second(url, cookies=cookies)
            if set(answers) != {"200"}:
                raise SystemExit(f"{url} did not always answer 200: {dict(answers)}")
            rates[name].append(rate)
    return {name: median(found) for name, found in rates.items()}
