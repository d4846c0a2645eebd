"""Numbers of SIM lines: valid ones, and another kind given by mistake."""

from datetime import date

import pytest

from portal_app.domain.sim.sim import NewLine, Person, PortIn, SimLine, parse_eid, parse_iccid, parse_sim_account

EID = "89049032000000000000000000000066"


@pytest.mark.parametrize("text", [EID, f" {EID[:8]} {EID[8:20]}-{EID[20:]} ", EID.translate({48: "０"})])
def test_an_eid_is_read_however_it_is_typed(text: str) -> None:
    assert parse_eid(text) == EID


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EID[:-1] + "7", "not an EID"),
        (EID[:2] + EID[3] + EID[2] + EID[4:], "not an EID"),
        ("", "not an EID"),
        ("٨" * 32, "not an EID"),
        ("8981100000000000016", "ICCID"),
        ("490154203237518", "IMEI"),
        ("490154203237519", "not an EID"),
    ],
)
def test_a_number_that_is_not_an_eid_is_named_by_its_kind(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_eid(text)


def test_an_iccid_has_nineteen_or_twenty_digits() -> None:
    assert parse_iccid("8981 1000 0000 0000 016") == "8981100000000000016"
    for wrong in ("898110000000000001", "7981100000000000016", EID, "89811000000000000160A"):
        with pytest.raises(ValueError):
            parse_iccid(wrong)


def test_a_line_is_known_by_eleven_digits_or_fourteen() -> None:
    assert parse_sim_account("０９０-1234-5678") == "09012345678"
    assert parse_sim_account("02012345678901") == "02012345678901"
    for wrong in ("0312345678", "09012345678901", "+819012345678", "9012345678a", ""):
        with pytest.raises(ValueError):
            parse_sim_account(wrong)


def test_a_new_line_and_a_number_brought_along_are_checked() -> None:
    person = Person("田中", "愛子", "タナカ", "アイコ", "F", date(1990, 4, 1))
    with pytest.raises(ValueError, match="product number"):
        NewLine("09012345678", "P", product_number="ax0000000000001")
    with pytest.raises(ValueError, match="reservation"):
        PortIn(person, "12-345-67890", date(2030, 1, 1))


def test_no_number_and_no_name_shows_in_a_representation() -> None:
    line = SimLine("09012345678", "active", "P", "5G", "8981100000000000016", EID, {}, 1, None, "", None, None)
    person = Person("田中", "愛子", "タナカ", "アイコ", "F", date(1990, 4, 1))
    message = f"{line!r}{PortIn(person, '1234567890', date(2030, 1, 1))!r}{NewLine('09012345678', 'P')!r}"
    for secret in ("0901234", "898110", EID, "田中", "アイコ", "1990", "1234567890"):
        assert secret not in message
