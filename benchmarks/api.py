"""The cached invoice list in requests per second, against a bare route that answers the same bytes."""

from statistics import median

from benchmarks.demo import cookie_line
from benchmarks.load import answers_per_second
from benchmarks.peers.serve import bare_route
from benchmarks.stage import Stage
from benchmarks.table import Row, versus

PATH = "/api/invoices"
ROUNDS = 3
_WARM_UP_SECONDS = 1


def measure(stage: Stage) -> list[Row]:
    """Load both in turn; the peer runs on the same kind of server, with one worker as well."""
    with stage.demo.signed_in() as ben:
        answer = ben.get(PATH).raise_for_status().content
        with bare_route(stage.scratch, answer) as bare:
            targets = {"ours": (stage.demo.url + PATH, cookie_line(ben)), "bare": (bare + PATH, "")}
            rates = _rates(targets)
    # Medians of the rounds; the ratio of a round is taken within the round.
    ours, peer = median(rates["ours"]), median(rates["bare"])
    return [versus(f"api: cached {PATH}, {len(answer)} bytes", ours, "req/s", peer=("bare route", peer))]


def _rates(targets: dict[str, tuple[str, str]]) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in targets}
    for url, cookies in targets.values():
        answers_per_second(url, cookies=cookies, seconds=_WARM_UP_SECONDS)
    for _ in range(ROUNDS):
        for name, (url, cookies) in targets.items():
            rate, answers = answers_per_second(url, cookies=cookies)
            if set(answers) != {"200"}:
                raise SystemExit(f"{url} did not always answer 200: {dict(answers)}")
            rates[name].append(rate)
    return rates
