"""Questions of a SIM order, and every wrong answer."""

from dataclasses import replace
from datetime import date

import pytest

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.options import SimOptions
from portal_app.domain.checkout.steps import Rules, Step, first_open_step, options_of, read_answer
from portal_app.domain.errors import InvalidInput
from tests.support.values.sim_answers import EID, HOLDER, SERVICE

RULES = Rules(date(2026, 11, 22))
SIM = {"sim_type": "esim", "eid": EID, "start": "date", "activate_on": "2026-12-01"}
PORT = {"origin": "port", "number": "090-1234-5678", "reservation_number": "12-345-67890", "expires_on": "2026-12-05"}
NUMBER = HOLDER | PORT | {"voice_mail": "on"}
VOICE = Plan(SERVICE)
DATA = Plan(replace(SERVICE, has_voice=False))


def wrong_fields(step: Step, form: dict[str, str], rules: Rules = RULES) -> set[str]:
    with pytest.raises(InvalidInput) as caught:
        read_answer(step, form, rules)
    return set(caught.value.fields)


def test_good_answers_become_what_is_ordered() -> None:
    options = options_of(VOICE, {"sim": SIM, "number": NUMBER}, RULES)
    assert isinstance(options, SimOptions) and options.port_in and options.holder
    assert (options.eid, options.activate_on, options.number) == (EID, date(2026, 12, 1), "09012345678")
    assert (options.port_in.reservation_number, options.port_in.expires_on) == ("1234567890", date(2026, 12, 5))
    assert (options.voice_mail, options.call_waiting, options.holder.last_name_kana) == (True, False, "タナカ")


def test_a_data_plan_asks_for_no_number_and_takes_none() -> None:
    assert options_of(DATA, {"sim": SIM}, RULES) == SimOptions("esim", False, EID, date(2026, 12, 1))
    with pytest.raises(InvalidInput):
        options_of(DATA, {"sim": SIM, "number": NUMBER}, RULES)


def test_no_step_can_be_skipped() -> None:
    assert first_open_step(VOICE, {}, RULES) == "sim"
    assert first_open_step(VOICE, {"number": NUMBER}, RULES) == "sim"
    assert first_open_step(VOICE, {"sim": SIM}, RULES) == "number"
    assert first_open_step(VOICE, {"sim": SIM, "number": NUMBER}, RULES) is None
    for answers in ({}, {"sim": SIM}, {"number": NUMBER}):
        with pytest.raises(InvalidInput):
            options_of(VOICE, answers, RULES)


def test_an_answer_that_time_made_wrong_is_asked_for_again() -> None:
    later = replace(RULES, today=date(2026, 12, 1))
    assert first_open_step(VOICE, {"sim": SIM, "number": NUMBER}, later) == "sim"
    sim = SIM | {"activate_on": "2026-12-04"}
    assert first_open_step(VOICE, {"sim": sim, "number": NUMBER}, later) == "number"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sim_type": "nano"}, "sim_type"),
        ({"eid": "89049032000001000000012345678955"}, "eid"),
        ({"eid": "8981100000000000000"}, "eid"),
        ({"eid": "490154203237518"}, "eid"),
        ({"start": ""}, "start"),
        ({"activate_on": "2026-11-22"}, "activate_on"),
        ({"activate_on": "2027-02-21"}, "activate_on"),
        ({"activate_on": "soon"}, "activate_on"),
        ({"price": "1"}, "answers"),
    ],
)
def test_a_wrong_answer_about_the_sim_is_named(change: dict[str, str], field: str) -> None:
    assert wrong_fields("sim", SIM | change) == {field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"origin": ""}, "origin"),
        ({"number": "03-1234-5678"}, "number"),
        ({"number": "020-1234-5678"}, "number"),
        ({"number": "050-1234-5678"}, "number"),
        ({"reservation_number": "123456789"}, "reservation_number"),
        ({"expires_on": "2026-12-01"}, "expires_on"),
        ({"expires_on": "2026-12-08"}, "expires_on"),
        ({"last_name": ""}, "last_name"),
        ({"last_name": "x" * 41}, "last_name"),
        ({"first_name_kana": "Aiko"}, "first_name_kana"),
        ({"first_name_kana": ""}, "first_name_kana"),
        ({"gender": "X"}, "gender"),
        ({"birth_date": "2026-11-22"}, "birth_date"),
        ({"birth_date": "1890-01-01"}, "birth_date"),
        ({"voice_mail": "yes"}, "voice_mail"),
    ],
)
def test_a_wrong_answer_about_the_number_is_named(change: dict[str, str], field: str) -> None:
    assert wrong_fields("number", NUMBER | change) == {field}


@pytest.mark.parametrize("typed", ["090 1234 5678", "０９０−1234−5678", "+81 90-1234-5678", "(090)1234-5678"])
def test_a_number_is_read_as_people_type_it(typed: str) -> None:
    assert read_answer("number", NUMBER | {"number": typed}, RULES)["number"] == "09012345678"


def test_a_reservation_is_good_from_ten_days_left_on() -> None:
    for day in ("2026-12-02", "2026-12-07"):
        read_answer("number", NUMBER | {"expires_on": day}, RULES)


def test_a_line_cannot_start_after_its_reservation_ran_out() -> None:
    with pytest.raises(InvalidInput):
        options_of(VOICE, {"sim": SIM | {"activate_on": "2026-12-06"}, "number": NUMBER}, RULES)
