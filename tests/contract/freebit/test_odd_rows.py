"""One odd entry in a list of Freebit's: left out by a rule and named to operators, and the rest goes on."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from portal_app.domain.errors import Unreadable
from portal_app.integrations import odd_rows
from portal_app.integrations.freebit import operations as op
from portal_app.integrations.freebit.gateway import _understood
from portal_app.integrations.freebit.schemas import Mapper

GOOD = {"quota": "100", "quotaCode": "ref-1", "date": "20261105", "expire": ""}
ODD = {"quotaCode": "ref-2", "quota": "09012345678x"}


@pytest.fixture
def mapper() -> Mapper:
    odd_rows._named.clear()
    return Mapper("", usage_unit=1)


def named(logs: list[Any]) -> list[tuple[str, str, str]]:
    return [(one["vendor"], one["list"], one["row"]) for one in logs if one["event"] == "vendor.row_unreadable"]


@pytest.mark.parametrize("odd", [ODD, ODD | {"quota": "1", "date": "20261399"}, ODD | {"quota": ["1"]}])
def test_an_odd_top_up_is_left_out_and_still_counts_as_sent(mapper: Mapper, odd: dict[str, Any]) -> None:
    body = {"quotaHistory": [odd, GOOD]}
    with capture_logs() as logs:
        assert [each.reference for each in mapper.top_ups(body)] == ["ref-1"]
    assert named(logs) == [("freebit", "PA05-02", "ref-2")] and "0901" not in str(logs)
    # Data are added once per reference: what cannot be shown was added all the same.
    assert mapper.has_top_up(body, "ref-2") and not mapper.has_top_up(body, "ref-3")


@pytest.mark.parametrize("history", ["none", {"quota": "1"}, 5])
def test_a_history_that_is_no_list_is_unreadable_as_a_whole(mapper: Mapper, history: Any) -> None:
    with capture_logs() as logs, pytest.raises(Unreadable), _understood(op.DATA_HISTORY):
        mapper.has_top_up({"quotaHistory": history}, "ref-1")
    assert named(logs) == [("freebit", "PA05-02", "")]


@pytest.mark.parametrize(
    ("days", "shown", "odd"), [("5,6,7", (5, 6, 7), []), ("5,x,7", (5,), ["2"]), ("-", (), ["1"]), ("", (), [])]
)
def test_the_days_of_usage_end_before_an_odd_one(mapper: Mapper, days: str, shown: Any, odd: list[str]) -> None:
    traffic = {"today": "1", "inRecentDays": days, "blackList": "20"}
    with capture_logs() as logs:
        assert mapper.usage({"traffic": traffic}).recent_days_bytes == shown
    assert [row for _, _, row in named(logs)] == odd


def test_days_that_are_told_oldest_first_are_turned_and_end_before_an_odd_one() -> None:
    odd_rows._named.clear()
    mapper = Mapper("", usage_unit=1, oldest_first=True)
    for told, shown in (("7,6,5", (5, 6, 7)), ("7,,5", (5, None, 7)), ("7,x,5", (5,)), ("", ())):
        traffic = {"today": "1", "inRecentDays": told, "blackList": "20"}
        assert mapper.usage({"traffic": traffic}).recent_days_bytes == shown


def test_an_odd_voice_option_does_not_hide_its_line(mapper: Mapper) -> None:
    row = {"account": "07011112222", "state": "active", "talk": {"voiceMail": "10", "callWaiting": "30"}}
    with capture_logs() as logs:
        line = mapper.line({"responseDatas": [row]}, "07011112222")
    assert (line.state, line.voice) == ("active", {"voice_mail": True})
    assert named(logs) == [("freebit", "PA03-02", "call_waiting")]
