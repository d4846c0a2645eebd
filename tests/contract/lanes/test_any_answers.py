"""Whatever a vendor answers, in whatever order: a client ends in time, sends a write once, raises only our errors."""

import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from portal_app.domain.errors import PortalError
from tests.contract.lanes.scripted_server import ScriptedServer, Slowly, Told, half, http, scripted_server
from tests.contract.lanes.subjects import SUBJECTS, new_key

# Beyond the limit of the call itself: a busy machine.
SLACK = 2.0
EXPIRED = http([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
GOOD = [
    http({"result": "success", "orderid": 1, "totalSize": 0, "done": True, "records": []}),
    http(
        {"compositeResponse": [{"referenceId": "order", "httpStatusCode": 201, "body": {"id": "801xx0000000001AAA"}}]}
    ),
]
TORN = [b"", half(b'{"result"'), half(b""), b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200", Slowly()]
TORN += [Slowly(http({"result": "success", "records": []})), Slowly(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500)]
ODD_HEADERS = [
    http(b"no gzip", **{"Content_Encoding": "gzip"}),
    http({"records": []}, **{"Sforce_Limit_Info": "api-usage=many/none"}),
    http({}, 302, Location="http://127.0.0.1:1/"),
    *[http(b"", status, Retry_After=value) for status in (429, 503) for value in ("0", "1", "600", "soon", "-1")],
]


def described(status: int, body: object) -> bytes:
    return http(body, status)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
        ["result", "message", "status", "errorCode", "fields", "records", "done", "nextRecordsUrl", "id",
         "compositeResponse", "referenceId", "httpStatusCode", "body", "warning", "totalSize"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
STATUS = st.sampled_from([200, 201, 204, 300, 304, 400, 401, 403, 404, 408, 409, 412, 414, 420, 429, 500, 502, 503])
CODES = ["UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "NOT_FOUND", "STRING_TOO_LONG", "SERVER_UNAVAILABLE", 7, None]
REFUSED = st.builds(lambda code, message: [{"errorCode": code, "message": message}], st.sampled_from(CODES), JSON)
ANSWERS: st.SearchStrategy[Told] = st.one_of(
    st.sampled_from([*GOOD, EXPIRED]),
    st.sampled_from(TORN),
    st.sampled_from([http(b"<html>maintenance</html>", status) for status in (200, 403, 500, 503)]),
    st.sampled_from(ODD_HEADERS),
    st.builds(described, STATUS, JSON | REFUSED),
)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("key"))


@pytest.mark.parametrize("vendor", SUBJECTS)
@pytest.mark.parametrize("kind", ["read", "write"])
@settings(
    # CONTRACT_EXAMPLES asks for a longer and truly random run.
    max_examples=int(os.environ.get("CONTRACT_EXAMPLES", "20")),
    derandomize="CONTRACT_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(answers=st.lists(ANSWERS, min_size=1, max_size=4), logins_work=st.sampled_from([True, True, True, False]))
@example(answers=[Slowly()], logins_work=True)
@example(answers=[Slowly(http({"records": []}))], logins_work=False)
@example(answers=[EXPIRED], logins_work=True)
async def test_a_client_ends_in_time_writes_once_and_raises_only_our_errors(
    redis: Redis, key_file: Path, vendor: str, kind: str, answers: Sequence[Told], logins_work: bool
) -> None:
    await redis.flushdb()
    async with scripted_server() as server, asyncio.timeout(20):
        async with SUBJECTS[vendor](server, redis, key_file) as subject:
            play = Play(server, answers, lambda asked: logins_work and subject.is_login(asked), subject.token)
            server.script(play)
            began = time.monotonic()
            with contextlib.suppress(PortalError):
                await (subject.read() if kind == "read" else subject.write())
            assert time.monotonic() - began < subject.longest + SLACK
            sent = sum(not subject.is_login(asked) for asked in server.asked)
            began = time.monotonic()
        # Closing waits for the client's threads: none may still hang on a slow answer.
        assert time.monotonic() - began < SLACK
    if kind == "write":
        assert sent <= 1 + min(play.expired, 1), server.asked


class Play:
    """Answer logins well where they are to work, all else in order, the last answer again and again."""

    def __init__(self, server: ScriptedServer, answers: Sequence[Told], is_good_login, token: bytes) -> None:
        self._server, self._answers, self._is_good_login, self._token = server, list(answers), is_good_login, token
        self.expired = 0

    def __call__(self, form: dict[str, str]) -> Told:
        if self._is_good_login(self._server.asked[-1]):
            return self._token
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.expired += answer == EXPIRED
        return answer
