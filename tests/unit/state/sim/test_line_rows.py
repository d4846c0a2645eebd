"""A SIM line's texts: amounts without needless decimals, and one amount for what expires on one day."""

from datetime import date

import pytest

from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.line_view import DataUse, LineIds, LineOverview, LineView
from portal_app.domain.sim.usage import DataPart
from portal_app.state.sim.line_rows import amount_words, line_rows


@pytest.mark.parametrize(
    ("megabytes", "words"),
    [(3072, "3 GB"), (10_240, "10 GB"), (12_698, "12.4 GB"), (1023.6, "1024 MB"), (0, "0 MB"), (None, "unknown")],
)
def test_an_amount_has_no_needless_decimal(megabytes: float | None, words: str) -> None:
    assert amount_words(megabytes) == words


def test_plan_and_top_up_that_expire_on_one_day_are_one_amount() -> None:
    month_end, later = date(2026, 12, 31), date(2027, 1, 10)
    parts = (DataPart(10_240, month_end, is_plan=True), DataPart(2048, month_end, is_plan=False))
    data = DataUse(10_240, 15_360, 0, (*parts, DataPart(3072, later, is_plan=False)), date(2027, 1, 1))
    snapshot = LineSnapshot(state="active", left_mb=15_360, top_ups=())
    line = LineView(LineIds("07039990101"), snapshot, data, (), None, None, (), (), None, None)
    rows = line_rows(LineOverview("linked", line), plan="SIM 10GB", service_id=1)
    assert [(part.label, part.value) for part in rows.parts] == [
        ("until 31 Dec 2026", "12 GB"),
        ("until 10 Jan 2027", "3 GB"),
    ]
    assert rows.left == "15 GB left"
