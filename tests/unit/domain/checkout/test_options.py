"""Order options are read from their row exactly as they were written."""

from datetime import date

import pytest

from portal_app.domain.checkout.options import (
    InternetOptions,
    Options,
    SimOptions,
    VpnOptions,
    options_from_json,
    options_to_json,
)
from portal_app.domain.sim.sim import Person, PortIn

HOLDER = Person("田中", "愛子", "タナカ", "アイコ", "F", date(1990, 2, 28))
PORTED = SimOptions(
    sim_type="esim",
    has_voice=True,
    eid="89049032000001000000012345678976",
    activate_on=date(2026, 12, 1),
    holder=HOLDER,
    number="09012345678",
    port_in=PortIn(HOLDER, "1234567890", date(2026, 12, 5)),
    voice_mail=True,
)


@pytest.mark.parametrize(
    "options",
    [
        PORTED,
        SimOptions(sim_type="physical", has_voice=False),
        InternetOptions("Home 1G", "Gold", "pppoe", "24m", weekend=True, switch_number="F1234567890"),
        VpnOptions("USA-SF"),
    ],
)
def test_options_survive_being_written_and_read(options: Options) -> None:
    assert options_from_json(options_to_json(options)) == options


def test_personal_data_never_show_in_a_log_line() -> None:
    shown = repr(PORTED)
    for secret in ("田中", "89049032", "09012345678", "1234567890", "1990"):
        assert secret not in shown
