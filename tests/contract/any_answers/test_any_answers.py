"""Any answers of a vendor in any order: a call ends in time, sends a write once and raises only our errors."""

import asyncio
import contextlib
import socket
import time
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, product
from pathlib import Path

import pytest
import stamina
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from structlog.testing import capture_logs

from portal_app.domain.errors import ExternalUnavailable, PortalError
from portal_app.integrations.throttling.breaker import BreakerOpen
from portal_app.integrations.throttling.vendor_call import ATTEMPTS
from tests.contract.any_answers.subjects import FAILURES
from tests.contract.any_answers.vendor_calls import SESSION_ENDED, VENDORS, Vendor
from tests.support.generated import examples
from tests.support.vendors.keys import new_key
from tests.support.vendors.scripted_server import ScriptedServer, Slowly, Told, half, http, scripted_server
from tests.support.waiting import LONGEST_SECONDS

Request = tuple[str, dict[str, str]]
# Beyond the limit of the call itself: a busy machine.
SLACK = 2.0
TORN = [b"", half(b'{"result"'), half(b""), b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200", Slowly()]
DRIP = Slowly(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500)
TORN += [Slowly(http({"result": "success", "records": []})), DRIP]
ODD_HEADERS = [
    http(b"no gzip", **{"Content_Encoding": "gzip"}),
    http({"records": []}, **{"Sforce_Limit_Info": "api-usage=many/none"}),
    http({}, 302, Location="http://127.0.0.1:1/"),
    http(b"", 301, Location="https://evil.example"),
    *[http(b"", status, Retry_After=value) for status in (429, 503) for value in ("0", "1", "600", "soon", "-1", "²")],
]
DEEP = [http(b'{"result":' + b"[" * 50_000, status) for status in (200, 401)]
NO_JSON = [http(b"<html>maintenance</html>", status) for status in (200, 403, 500, 503)]


def described(status: int, body: object) -> bytes:
    return http(body, status)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
        ["result", "message", "status", "errorCode", "fields", "records", "done", "nextRecordsUrl", "id",
         "compositeResponse", "referenceId", "httpStatusCode", "body", "warning", "totalSize", "resultCode",
         "statusCode"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
STATUS = st.sampled_from([200, 201, 204, 300, 304, 400, 401, 403, 404, 408, 409, 412, 414, 420, 429, 500, 502, 503])
OF_ANY_VENDOR: st.SearchStrategy[Told] = st.one_of(
    st.sampled_from(TORN),
    st.sampled_from(DEEP + NO_JSON + ODD_HEADERS),
    st.builds(described, STATUS, JSON | st.lists(st.dictionaries(st.just("errorCode"), JSON), max_size=2)),
)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("key"))


@pytest.mark.examples
@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("kind", ["reads", "writes"])
@settings(
    **examples(5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_a_call_ends_in_time_writes_once_and_raises_only_our_errors(
    redis: Redis, key_file: Path, vendor: str, kind: str, data: st.DataObject
) -> None:
    chosen = VENDORS[vendor]
    name = data.draw(st.sampled_from(sorted(getattr(chosen, kind))))
    answers = data.draw(st.lists(chosen.answers | OF_ANY_VENDOR, min_size=1, max_size=5))
    logins_work = data.draw(st.sampled_from([True, True, True, False]))
    await try_answers(chosen, name, answers, redis=redis, key_file=key_file, logins_work=logins_work)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_silence_cut_connections_deep_json_and_dead_sessions_raise_our_errors(
    redis: Redis, key_file: Path, vendor: str
) -> None:
    chosen = VENDORS[vendor]
    for name in (next(iter(chosen.reads)), next(iter(chosen.writes))):
        for answer in (Slowly(), DRIP, *DEEP, *SESSION_ENDED):
            for logins_work in chosen.logins:
                await try_answers(chosen, name, [answer], redis=redis, key_file=key_file, logins_work=logins_work)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_proper_answer_to_another_question_raises_only_our_errors(
    redis: Redis, key_file: Path, vendor: str
) -> None:
    chosen = VENDORS[vendor]
    with stamina.set_testing(True, attempts=1):
        async with scripted_server() as server, chosen.make(server.url, redis, key_file) as subject:
            for answer, (name, call) in product(chosen.odd, chosen.calls.items()):
                await forget_all_but_limiters(redis)
                server.script(Play(server, [answer], chosen.is_login, subject.token))
                try:
                    await call(subject.gateway)
                except PortalError:
                    continue
                except Exception as error:
                    raise AssertionError(f"{name} answered {answer!r}") from error


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_safe_call_is_sent_three_times_and_a_write_once(redis: Redis, key_file: Path, vendor: str) -> None:
    chosen = VENDORS[vendor]
    writes: set[str] = set()
    # Without pauses.
    with stamina.set_testing(True, attempts=ATTEMPTS):
        # No answer here is a silence: a busy machine may be slow.
        async with scripted_server() as server, chosen.make(server.url, redis, key_file, timeout=30.0) as subject:
            for good, count, (name, call) in product(chosen.good, range(3), chosen.calls.items()):
                await forget_all_but_limiters(redis)
                server.script(Play(server, [good] * count + [NO_JSON[-1]], chosen.is_login, subject.token))
                with contextlib.suppress(PortalError):
                    await call(subject.gateway)
                if found := run_at(count, chosen, server):
                    is_written, times = found
                    assert times == (1 if is_written else ATTEMPTS), (name, server.asked)
                    writes |= {name} if is_written else set()
    assert writes == chosen.writes.keys()


def calls_of(vendor: Vendor, server: ScriptedServer) -> list[Request]:
    """Return the requests without logins."""
    asked = zip(server.asked, server.requests, strict=True)
    return [request for request in asked if not vendor.is_login(request[0])]


def run_at(place: int, vendor: Vendor, server: ScriptedServer) -> tuple[bool, int] | None:
    """Say of the call at a place whether it writes and how often it was sent in a row; None beyond the last."""
    # Two files that are sent differ in the mark between their parts.
    for written, same in groupby(calls_of(vendor, server), lambda each: vendor.written(*each) or each):
        times = len(list(same))
        if place < times:
            return isinstance(written, str), times
        place -= times
    return None


async def forget_all_but_limiters(redis: Redis) -> None:
    """Close breakers and forget what is cached or locked."""
    await redis.delete("none", *(key for key in await redis.keys() if not key.startswith(b"lane:")))


@pytest.mark.parametrize("vendor", VENDORS)
async def test_an_address_where_nobody_listens_fails_at_once_and_opens_the_breaker(
    redis: Redis, key_file: Path, vendor: str
) -> None:
    chosen = VENDORS[vendor]
    with socket.socket() as taken, capture_logs() as logs:
        # Bound without listening: the system itself refuses, and nobody else gets this port meanwhile.
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        # No time limit is what ends these calls, however busy the machine is.
        async with chosen.make(url, redis, key_file, timeout=30.0) as subject:
            for call in [*chosen.writes.values(), *chosen.reads.values()][: FAILURES + 1] * 2:
                with pytest.raises(ExternalUnavailable) as caught:
                    await call(subject.gateway)
            assert isinstance(caught.value, BreakerOpen)
            assert await subject.line.breaker.state() == "open"
    (began,) = [line for line in logs if line["event"] == "vendor.outage_began"]
    assert began["reason"].endswith(": ConnectError")


async def try_answers(
    vendor: Vendor, name: str, answers: Sequence[Told], *, redis: Redis, key_file: Path, logins_work: bool
) -> None:
    """Make one call against these answers and check what must hold whatever they are."""
    await redis.flushdb()
    async with scripted_server() as server, asyncio.timeout(LONGEST_SECONDS):
        async with vendor.make(server.url, redis, key_file) as subject:
            play = Play(server, answers, lambda asked: logins_work and vendor.is_login(asked), subject.token)
            server.script(play)
            began = time.monotonic()
            with contextlib.suppress(PortalError):
                await vendor.calls[name](subject.gateway)
            assert time.monotonic() - began < vendor.turns * subject.line.longest + SLACK
            began = time.monotonic()
        # Closing waits for the client's threads: none may still hang on a slow answer.
        assert time.monotonic() - began < SLACK
    if name in vendor.writes:
        sent = Counter(vendor.written(*each) for each in calls_of(vendor, server))
        assert all(count <= 1 + min(play.ended, 1) for what, count in sent.items() if what), sent


class Play:
    """Answer logins well where they are to work, all else in order, the last answer again and again."""

    def __init__(self, server: ScriptedServer, answers: Sequence[Told], is_good_login, token: bytes) -> None:
        self._server, self._answers, self._is_good_login, self._token = server, list(answers), is_good_login, token
        self.ended = 0

    def __call__(self, form: dict[str, str]) -> Told:
        if self._is_good_login(self._server.asked[-1]):
            return self._token
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.ended += answer in SESSION_ENDED
        return answer
