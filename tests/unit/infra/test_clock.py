"""The portal's one clock: UTC and the day in Japan, moved along with the sandbox in development only."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal_app.infra import clock
from portal_app.infra.database.database import Database
from portal_app.infra.settings import Settings
from portal_app.models.mirror import database_time
from sandbox.clock import Clock, parse_shift
from sandbox.store import Store
from tests.support.needed_settings import needed


@pytest.fixture(autouse=True)
def real_time_again() -> Iterator[None]:
    yield
    clock.follow_offset(None)
    clock._Reading.database_seconds = None


def show(moment: datetime) -> None:
    clock.set_clock(moment.timestamp(), counter=clock.counter_seconds())


@pytest.mark.parametrize(
    ("utc", "day"), [("2026-11-30T14:59:59+00:00", "2026-11-30"), ("2026-11-30T15:00:01+00:00", "2026-12-01")]
)
def test_the_business_date_turns_at_midnight_in_japan(utc: str, day: str) -> None:
    show(datetime.fromisoformat(utc) - timedelta(milliseconds=1))
    assert clock.today().isoformat() == day


def test_the_clock_follows_each_move_of_the_sandboxs_at_once(tmp_path: Path) -> None:
    file = tmp_path / "clock.offset"
    vendors = Clock(Store(":memory:"), file)
    clock.follow_offset(file)
    assert clock.offset_seconds() == 0
    for step in (timedelta(days=25), timedelta(minutes=-30)):
        vendors.advance(step)
        assert abs(clock.now() - vendors.now()) < timedelta(seconds=5)
    assert clock.now() - datetime.now(UTC) > timedelta(days=24)


def test_times_checked_by_other_systems_stay_real(tmp_path: Path) -> None:
    file = tmp_path / "clock.offset"
    file.write_text("86400")
    clock.follow_offset(file)
    assert abs(clock.unmoved_timestamp() - datetime.now(UTC).timestamp()) < 5
    assert all(abs(each - clock.unmoved_timestamp()) < 5 for each in clock.accepted_timestamps())
    assert abs(clock.host_ahead_seconds()) < 5


@pytest.mark.parametrize("content", [None, "", "soon"])
def test_a_missing_or_empty_clock_file_shifts_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "offset").write_text(content)
    clock.follow_offset(tmp_path / "offset")
    assert clock.offset_seconds() == 0


async def test_the_time_read_in_a_transaction_is_the_portal_time(worker: Database, tmp_path: Path) -> None:
    (tmp_path / "offset").write_text("7200")
    clock.follow_offset(tmp_path / "offset")
    async with worker.unit_of_work() as session:
        assert abs(await database_time(session) - clock.now()) < timedelta(seconds=5)


def test_production_refuses_a_clock_that_can_be_moved(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="PORTAL_CLOCK_FILE"):
        Settings(**needed(), portal_clock_file=tmp_path / "offset")


@pytest.mark.parametrize(("text", "seconds"), [("45m", 2700), ("3h", 10800), ("10d", 864000), ("-1d", -86400)])
def test_a_shift_is_a_number_with_its_unit(text: str, seconds: float) -> None:
    assert parse_shift(text) == seconds


@pytest.mark.parametrize("text", ["10", "x5m", "month"])
def test_any_other_shift_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_shift(text)
