"""The steps of a checkout: which steps a plan has, how answers are validated, and the options they lead to.

Answers are stored as typed and validated again when the order is placed, because days may pass in between.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Literal, cast

from portal_app.domain.catalog.plan import Plan
from portal_app.domain.checkout.answer_reader import AnswerReader, Rules
from portal_app.domain.checkout.internet_steps import (
    INTERNET_FIELDS,
    internet_options,
    read_address,
    read_connection,
    read_phone,
)
from portal_app.domain.checkout.options import Options, SimOptions, SimType, VpnOptions
from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.customer import PERSON_READERS, parse_kana
from portal_app.domain.sim.sim import Gender, Person, PortIn, parse_eid
from portal_app.language.phrase import Phrase

Step = Literal["sim", "number", "address", "connection", "phone"]
Answers = Mapping[str, Mapping[str, str]]
FIELDS: dict[Step, tuple[str, ...]] = {
    "sim": ("sim_type", "eid", "start", "activate_on"),
    "number": (
        *("origin", "number", "reservation_number", "expires_on"),
        *("last_name", "first_name", "last_name_kana", "first_name_kana", "gender", "birth_date"),
        *("voice_mail", "call_waiting"),
    ),
    "address": INTERNET_FIELDS["address"],
    "connection": INTERNET_FIELDS["connection"],
    "phone": INTERNET_FIELDS["phone"],
}
# An MNP reservation is valid for fifteen days including the day of issue. SIMs are activated at most 90 days ahead.
_RESERVATION_DAYS, FURTHEST_DAYS, _OLDEST_YEARS = 15, 90, 120
_MOBILE = re.compile(r"0[6-9]0\d{8}", re.ASCII)
_RESERVATION = re.compile(r"\d{10}", re.ASCII)
__all__ = [
    "FIELDS",
    "FURTHEST_DAYS",
    "Answers",
    "Rules",
    "Step",
    "first_open_step",
    "options_of",
    "read_answer",
    "steps_of",
]
_EID_WORDS = {
    "this is an ICCID": "This is the number of a SIM card (ICCID). The EID has 32 digits.",
    "this is an IMEI": "This is the IMEI of your phone. The EID has 32 digits.",
}
_NO_EID = "Enter the 32 digits of the EID; your phone shows them under its general information."
_HOLDER_LONGEST = 40
_OF_THIS_PLAN = "Answer the questions of this plan only."
_STEPS: dict[str, tuple[Step, ...]] = {"sim": ("sim",), "internet": ("address", "connection", "phone")}


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """Return the steps of a plan in their order."""
    steps = _STEPS.get(plan.service.category, ())
    return (*steps, "number") if plan.service.has_voice and plan.service.category == "sim" else steps


def first_open_step(plan: Plan, answers: Answers, rules: Rules) -> Step | None:
    """Return the first step without a valid answer, or None if all are valid."""
    for step in steps_of(plan):
        try:
            read_answer(step, answers.get(step, {}), rules, others=answers)
        except InvalidInput:
            return step
    return None


def options_of(plan: Plan, answers: Answers, rules: Rules) -> Options | None:
    """Return the options chosen. Raises InvalidInput for steps that are missing, invalid or not part of this plan."""
    steps = steps_of(plan)
    if not set(answers) <= set(steps):
        raise InvalidInput({"answers": _OF_THIS_PLAN})
    read: dict[str, Any] = {}
    for step in steps:
        read |= read_answer(step, answers.get(step, {}), rules, others=answers)
    if plan.service.category == "sim":
        options = SimOptions(has_voice=plan.service.has_voice, **read)
        _check_days(options)
        return options
    if plan.service.category == "internet":
        return internet_options(plan, read)
    return VpnOptions(plan.service.region) if plan.service.category == "vpn" else None


def read_answer(
    step: Step, form: Mapping[str, str], rules: Rules, *, others: Answers = MappingProxyType({})
) -> dict[str, Any]:
    """Return a step's answer as fields of the options. Raises InvalidInput with every invalid field.

    `others` are the answers to the other steps, which may exclude an option of this one.
    """
    if not set(form) <= set(FIELDS[step]):
        raise InvalidInput({"answers": _OF_THIS_PLAN})
    reader = AnswerReader(form, rules)
    if step == "phone":
        answer = read_phone(reader, others.get("connection", {}))
    else:
        answer = _READERS[step](reader)
    if reader.errors:
        raise InvalidInput(reader.errors)
    return answer


def _sim(form: AnswerReader) -> dict[str, Any]:
    sim_type = cast(SimType, form.one_of("sim_type", "physical", "esim"))
    start = form.one_of("start", "now", "date")
    tomorrow, furthest = form.rules.today + timedelta(days=1), form.rules.today + timedelta(days=FURTHEST_DAYS)
    message = Phrase("Choose a day from tomorrow on, at most {days} days ahead.", days=FURTHEST_DAYS)
    return {
        "sim_type": sim_type,
        "eid": form.parse("eid", _eid) or "" if sim_type == "esim" else "",
        "activate_on": form.date_between("activate_on", tomorrow, furthest, message) if start == "date" else None,
    }


def _number(form: AnswerReader) -> dict[str, Any]:
    is_ported = form.one_of("origin", "new", "port") == "port"
    holder, port_in, number = _holder(form), None, ""
    if is_ported:
        number = form.parse("number", _mobile) or ""
        reservation, expires_on = form.parse("reservation_number", _reservation), _expiry(form)
        if holder and reservation and expires_on:
            port_in = PortIn(holder, reservation, expires_on)
    return {
        "holder": holder,
        "number": number,
        "port_in": port_in,
        "voice_mail": form.is_ticked("voice_mail"),
        "call_waiting": form.is_ticked("call_waiting"),
    }


def _holder(form: AnswerReader) -> Person | None:
    today = form.rules.today
    oldest = today.replace(year=today.year - _OLDEST_YEARS, day=1)
    names = {
        "last_name": form.parse("last_name", _short(PERSON_READERS["last_name"])),
        "first_name": form.parse("first_name", _short(PERSON_READERS["first_name"])),
        "last_name_kana": form.parse("last_name_kana", _kana),
        "first_name_kana": form.parse("first_name_kana", _kana),
    }
    gender = form.one_of("gender", "F", "M")
    birth_date = form.date_between("birth_date", oldest, today - timedelta(days=1), "Enter your date of birth.")
    if birth_date is None or not all(names.values()) or "gender" in form.errors:
        return None
    return Person(
        **{name: str(value) for name, value in names.items()}, gender=cast(Gender, gender), birth_date=birth_date
    )


def _expiry(form: AnswerReader) -> date | None:
    today, left = form.rules.today, form.rules.reservation_days_left
    message = "This reservation runs out too soon, or is no date a carrier gives. Ask your carrier for a new number."
    earliest, latest = today + timedelta(days=left), today + timedelta(days=_RESERVATION_DAYS)
    return form.date_between("expires_on", earliest, latest, message)


def _check_days(options: SimOptions) -> None:
    """Refuse an activation after the MNP reservation expires. Raises InvalidInput."""
    if options.port_in and options.activate_on and options.activate_on > options.port_in.expires_on:
        raise InvalidInput({"activate_on": "Choose a day before your reservation number runs out."})


def _eid(text: str) -> str:
    try:
        return parse_eid(text)
    except ValueError as error:
        raise ValueError(_EID_WORDS.get(str(error), _NO_EID)) from error


def _plain(text: str) -> str:
    """Return a number without the separators people type: spaces, brackets and all kinds of dashes."""
    return re.sub(r"[\s()‐‑‒–—―−ー-]", "", unicodedata.normalize("NFKC", text))


def _mobile(text: str) -> str:
    digits = _plain(text)
    digits = re.sub(r"^\+810?", "0", digits)
    if not _MOBILE.fullmatch(digits):
        raise ValueError("Enter the mobile number you want to keep, such as 090-1234-5678.")
    return digits


def _reservation(text: str) -> str:
    digits = _plain(text)
    if not _RESERVATION.fullmatch(digits):
        raise ValueError("Enter the ten digits of your MNP reservation number.")
    return digits


def _kana(text: str) -> str:
    kana = parse_kana(text)
    if not kana:
        raise ValueError("Use katakana here, such as タナカ.")
    return kana


def _short(reader: Callable[[str], str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        name = reader(text)
        if len(name) > _HOLDER_LONGEST:
            raise ValueError("Use at most 40 characters.")
        return name

    return read


_READERS: dict[Step, Callable[[AnswerReader], dict[str, Any]]] = {
    "sim": _sim,
    "number": _number,
    "address": read_address,
    "connection": read_connection,
}
