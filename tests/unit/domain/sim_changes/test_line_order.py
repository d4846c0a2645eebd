"""Changes of lines: what follows from what was read, and from a refusal; every state leads on."""

from typing import get_args

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.domain.sim_changes.line_order import (
    ENDED,
    UNSETTLED,
    LineOrderState,
    after_change,
    after_refusal,
    after_watch,
)
from portal_app.domain.sim_changes.voice_option import parse_network, parse_option, parse_skus


@pytest.mark.parametrize(
    ("is_shown", "is_overdue", "was_accepted", "sends", "expected"),
    [
        (True, False, True, 1, "shown"),
        (True, True, False, 2, "shown"),
        (False, False, False, 1, "pending"),
        (False, True, True, 1, "failed"),
        (False, True, False, 1, "send_again"),
        (False, True, False, 2, "failed"),
    ],
)
def test_a_change_fails_when_its_time_is_over_and_is_sent_again_only_after_a_lost_answer(
    is_shown: bool, is_overdue: bool, was_accepted: bool, sends: int, expected: str
) -> None:
    assert after_watch(is_shown, is_overdue=is_overdue, was_accepted=was_accepted, sends=sends) == expected


def test_only_what_the_line_shows_and_costs_something_is_billed() -> None:
    assert after_change("voice", target="on", is_billed=True) == "ordering"
    assert after_change("voice", target="off", is_billed=True) == "ending"
    assert after_change("voice", target="on", is_billed=False) == "done"
    assert after_change("network", target="5G", is_billed=False) == "done"
    assert after_change("plan", target="P", is_billed=True) == "booked"


def test_every_state_leads_on_after_a_refusal() -> None:
    for state in get_args(LineOrderState):
        if state in ENDED:
            continue
        following, _ = after_refusal(state, "external_rejected")
        assert following != state, state
        assert following in ENDED or following == "asking"
        # Our team hears of what it is to see to by the case that `asking` opens.
        assert following != "with_team" or state == "asking", state
    assert after_refusal("ordering", "gave_up") == ("ordering", ""), "the bill is not forgotten"
    assert after_refusal("sending", "gave_up") == ("failed", "too_late")
    assert set(UNSETTLED) | ENDED | {"covered"} == set(get_args(LineOrderState))


@pytest.mark.parametrize("value", ["", "voicemail", "true", None, 1, "*", ["roaming"]])
def test_unknown_options_and_networks_are_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        parse_option(value)
    with pytest.raises(InvalidInput):
        parse_network(value)


def test_skus_of_options_are_read_and_wrong_ones_stop_the_start() -> None:
    assert parse_skus("roaming=A, voice_mail=B") == {"roaming": "A", "voice_mail": "B"}
    for wrong in ("roaming", "roaming=", "speed=A"):
        with pytest.raises(ValueError, match="option=SKU"):
            parse_skus(wrong)
