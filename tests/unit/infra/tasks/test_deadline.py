"""A request has one deadline, however many vendors it waits for."""

import asyncio
import math

import pytest

from portal_app.domain.errors import ExternalUnavailable
from portal_app.infra.tasks import deadline as module
from portal_app.infra.tasks.deadline import deadline, no_deadline, remaining_seconds, request_deadline


class Clock:
    """A clock that the test turns on."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    own = Clock()
    monkeypatch.setattr(module, "time", own)
    return own


def test_calls_within_a_request_share_its_deadline(clock: Clock) -> None:
    assert remaining_seconds(1.5) == 1.5
    with request_deadline():
        assert remaining_seconds(1.5) == 1.5
        clock.now += 1.0
        with request_deadline():
            assert remaining_seconds(1.5) == 0.5
        assert remaining_seconds(1.5) == 0.5
        assert remaining_seconds(0) == 0
        clock.now += 10
        assert 0 < remaining_seconds(1.5) < 0.5
        assert remaining_seconds(0.05) == 0.05
    assert remaining_seconds(1.5) == 1.5


async def test_background_work_has_no_deadline(clock: Clock) -> None:
    async def background() -> float:
        no_deadline()
        async with deadline(0.001, vendor="whmcs"):
            await asyncio.sleep(0.02)
        return remaining_seconds(1.5)

    with request_deadline():
        clock.now += 1.0
        assert await asyncio.create_task(background()) == math.inf
        assert remaining_seconds(1.5) == 0.5


async def test_an_expired_deadline_names_the_slow_vendor() -> None:
    with pytest.raises(ExternalUnavailable) as raised:
        async with deadline(0.01, vendor="salesforce"):
            await asyncio.Event().wait()
    assert raised.value.vendor == "salesforce"
