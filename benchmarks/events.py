"""The round trip of an event: a handler of the portal with its guard, compared with a handler of the lean peer."""

import asyncio
import time
from statistics import median, quantiles

from benchmarks.demo import cookie_line
from benchmarks.event_socket import EventSocket, event_socket
from benchmarks.stage import Stage
from benchmarks.table import Row, versus

ROUND_TRIPS = 300
WARM_UP = 30
MOST = 1.3
# Without an open dialog this handler only sets a field to its current value, like the peer's.
OURS = "reflex___state____state.portal_app___state___shell___step_up____step_up.give_up"
PEERS = "reflex___state____state.lean____idle.touch"
# The update of a handler that completed; a failed one sends another.
_ANSWERS = {OURS: '"question_rx_state_":""', PEERS: '"answer_rx_state_":""'}


def measure(stage: Stage) -> list[Row]:
    """Call both handlers alternately."""
    with stage.demo.signed_in() as ben:
        ours, peers = asyncio.run(_round_trips(stage.demo.url, cookie_line(ben), stage.lean))
    return [
        versus("events: guarded, median", median(ours), "ms", peer=("unguarded", median(peers)), most=MOST),
        versus("events: guarded, 95th percentile", _p95(ours), "ms", peer=("unguarded", _p95(peers)), most=MOST),
    ]


async def _round_trips(ours: str, cookies: str, lean: str) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each call: the portal's and the peer's."""
    took: tuple[list[float], list[float]] = ([], [])
    async with event_socket(ours, "/account", cookies=cookies) as guarded, event_socket(lean, "/") as free:
        for turn in range(WARM_UP + ROUND_TRIPS):
            for samples, socket, handler in zip(took, (guarded, free), (OURS, PEERS), strict=True):
                seconds = await _timed(socket, handler)
                if turn >= WARM_UP:
                    samples.append(seconds * 1000)
    return took


async def _timed(socket: EventSocket, handler: str) -> float:
    began = time.perf_counter()
    update = await socket.call(handler)
    took = time.perf_counter() - began
    # A rejected event is fast too, so the response must be the handler's.
    is_own = handler.rpartition(".")[0] in update and _ANSWERS[handler] in update
    if not is_own or '"must_reload_rx_state_":true' in update:
        raise SystemExit(f"{handler} did not run: {update[:500]}")
    return took


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]
