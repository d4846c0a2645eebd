"""Rules of lines: whose a line is, what does not fit at night, what became of a change, and what data are left."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portal_app.domain.sim.line_change import LineChange, outcome_of
from portal_app.domain.sim.line_comparison import ComparedService, finding_of
from portal_app.domain.sim.line_link import LineFields, is_new, refusal_of
from portal_app.domain.sim.line_snapshot import LineSnapshot
from portal_app.domain.sim.line_view import data_use, line_forecast, shown_days
from portal_app.domain.sim.sim import SimLine, SimState, SimUsage, TopUp
from portal_app.domain.sim.sim_plan import SimPlan
from portal_app.domain.sim.usage import MB, DataPart, data_parts, is_implausible

ICCID, EID = "8981999000000001012", "89049032000000000000000000001036"
LINE = SimLine(
    "07012345678", "active", "P10", "4G", ICCID, EID, {"voice_mail": False}, 4096, date(2025, 1, 1), "", None, None
)
PLAN = SimPlan("P10", 10 * 1024, has_voice=True)
TODAY = date(2026, 3, 16)
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "line", "plan", "refusal"),
    [
        (LineFields("070-1234-5678"), LINE, PLAN, None),
        (LineFields("07012345678", ICCID, EID), LINE, PLAN, None),
        (LineFields("07012345678", f" {ICCID[:4]} {ICCID[4:]}"), LINE, PLAN, None),
        (LineFields("07012345678"), replace(LINE, plan_code="P25", next_plan_code="P10"), PLAN, None),
        (LineFields("07012345678"), None, PLAN, "no_line"),
        (LineFields("07012345678"), replace(LINE, state="obsolete"), PLAN, "line_over"),
        (LineFields("07012345678"), replace(LINE, state="unknown"), PLAN, "line_over"),
        (LineFields("07012345678"), replace(LINE, plan_code="P25"), PLAN, "other_plan"),
        (LineFields("07012345678"), LINE, None, "other_plan"),
        (LineFields("07012345678"), replace(LINE, plan_code=""), replace(PLAN, code=""), "other_plan"),
        (LineFields("07012345678", "8981999000000009999"), LINE, PLAN, "other_sim"),
        (LineFields("07012345678", ICCID, "1" * 32), LINE, PLAN, "other_sim"),
    ],
)
def test_a_line_is_a_services_only_where_plan_and_sim_fit(
    fields: LineFields, line: SimLine | None, plan: SimPlan | None, refusal: str | None
) -> None:
    assert refusal_of(fields, line, plan) == refusal


def test_a_missing_number_of_a_new_service_is_no_fault_yet() -> None:
    ages = [(None, False), (0, True), (2, True), (3, False), (300, False)]
    found = [is_new(None if age is None else TODAY - timedelta(days=age), TODAY) for age, _ in ages]
    assert found == [is_expected for _, is_expected in ages]


@pytest.mark.parametrize(
    ("service", "state", "ends", "finding"),
    [
        ("live", "active", False, None),
        ("live", "suspended", False, None),
        ("live", "obsolete", False, "line_gone"),
        ("live", None, False, "line_gone"),
        ("live", "unknown", False, None),
        ("over", "active", False, "line_lives"),
        ("over", "active", True, None),
        ("over", "obsolete", False, None),
        ("over", None, False, None),
        ("unknown", "active", False, None),
        ("unknown", None, False, None),
        ("other plan", "active", False, "other_plan"),
    ],
)
def test_what_does_not_fit_is_found_both_ways(
    service: str, state: SimState | None, ends: bool, finding: str | None
) -> None:
    line = None if state is None else replace(LINE, state=state, ends_on=TODAY if ends else None)
    plan = replace(PLAN, code="P25") if service == "other plan" else PLAN
    compared = ComparedService(is_live=service in ("live", "other plan"), is_over=service == "over", plan=plan)
    assert finding_of(compared, line) == finding


@pytest.mark.parametrize(
    ("wanted", "line", "outcome"),
    [
        ({"network": "5G"}, LINE, "failed"),
        ({"network": "4G"}, LINE, "done"),
        ({"voice_mail": "on"}, LINE, "failed"),
        ({"voice_mail": "off", "roaming": "on"}, LINE, "failed"),
        ({"voice_mail": "off"}, LINE, "done"),
        ({"plan": "P10"}, LINE, "done"),
        ({"next_plan": "P25", "next_plan_on": "2026-04-01"}, LINE, "failed"),
        (
            {"next_plan": "P25", "next_plan_on": "2026-04-01"},
            replace(LINE, next_plan_code="P25", next_plan_on=date(2026, 4, 1)),
            "done",
        ),
        ({"next_plan": "P25", "next_plan_on": "2026-03-01"}, replace(LINE, plan_code="P25"), "done"),
        ({"iccid_other_than": "now"}, LINE, "failed"),
        ({"iccid_other_than": "before"}, LINE, "done"),
        (None, LINE, "pending"),
    ],
)
def test_a_change_is_done_when_the_line_shows_it_and_failed_when_its_time_has_passed(
    wanted: dict[str, str] | None, line: SimLine, outcome: str
) -> None:
    change = LineChange("any", NOON - timedelta(hours=1), NOON - timedelta(minutes=1), wanted)
    known = {"iccid_hash": "now", "grace": timedelta(seconds=30)}
    assert outcome_of(change, line, at=NOON, **known) == outcome
    early = outcome_of(change, line, at=NOON - timedelta(minutes=1), **known)
    assert early == ("pending" if outcome == "failed" else outcome)


def test_data_are_counted_by_the_day_they_expire() -> None:
    plan, end = 10 * 1024, date(2026, 3, 31)
    later = TopUp(3072, "", date(2026, 3, 10), date(2026, 4, 20))
    month = TopUp(1024, "", date(2026, 3, 11), None)
    old = TopUp(1024, "", date(2026, 1, 11), date(2026, 2, 28))
    everything = [later, month, old]
    assert data_parts(plan + 4096, plan, everything, TODAY, used_mb=0) == (
        DataPart(plan, end, is_plan=True), DataPart(1024, end, is_plan=False),
        DataPart(3072, date(2026, 4, 20), is_plan=False),
    )  # fmt: skip
    later_part = DataPart(3000, date(2026, 4, 20), is_plan=False)
    assert data_parts(3000, plan, everything, TODAY, used_mb=plan + 1096) == (later_part,)
    # Last month used a part of the top-up: the plan's data are whole all the same.
    assert data_parts(plan + 2000, plan, [later], TODAY, used_mb=0)[0] == DataPart(plan, end, is_plan=True)
    assert data_parts(0, plan, everything, TODAY, used_mb=plan + 5000) == ()
    # The parts cannot add up to that: nothing is claimed.
    assert data_parts(plan + 9999, plan, everything, TODAY, used_mb=0) == ()


def test_missing_figures_are_unknown_and_a_missing_day_is_no_empty_one() -> None:
    snapshot = LineSnapshot.of_line(LINE).with_usage(SimUsage(50 * MB, (), is_restricted=False))
    known = {TODAY - timedelta(days=back): 100 * MB for back in range(1, 40)}
    whole = data_use(replace(snapshot, top_ups=()), PLAN, known, TODAY)
    assert (whole.allowance_mb, whole.left_mb, whole.used_mb, whole.resets_on) == (10240, 4096, 1550, date(2026, 4, 1))
    del known[TODAY - timedelta(days=3)]
    assert data_use(replace(snapshot, top_ups=()), PLAN, known, TODAY).used_mb == 10240 - 4096
    assert data_use(snapshot, PLAN, known, TODAY).used_mb is None, "top-ups are not known"
    unknown = data_use(replace(snapshot, left_mb=None), None, known, TODAY)
    assert (unknown.allowance_mb, unknown.left_mb, unknown.used_mb, unknown.parts) == (None, None, None, ())
    assert line_forecast(unknown, snapshot, known, TODAY) == (None, None)
    days = shown_days(known, snapshot, TODAY)
    assert [each.used_bytes for each in days[-4:]] == [None, 100 * MB, 100 * MB, 50 * MB] and days[-1].is_today
    assert data_use(replace(snapshot, left_mb=-5), PLAN, known, TODAY).left_mb == 0


def test_a_snapshot_is_read_back_as_it_was_written() -> None:
    line = replace(LINE, next_plan_code="P25", next_plan_on=TODAY, ends_on=TODAY)
    snapshot = replace(
        LineSnapshot.of_line(line).with_usage(SimUsage(7, (), is_restricted=True)),
        top_ups=(TopUp(5, "", TODAY, None),),
    )
    assert LineSnapshot.from_json(snapshot.to_json()) == snapshot
    assert LineSnapshot.from_json({}) == LineSnapshot()
    assert not {ICCID, EID, LINE.account} & set(map(str, snapshot.to_json().values()))


@pytest.mark.parametrize(
    ("used_mb", "before", "is_odd"),
    [
        (200_000, [200, 300, 100], True),
        (20_000, [200, 300, 100], False),
        (200_000, [200, 300], False),
        (500, [0, 0, 1], False),
        (2_000, [0, 0, 0], True),
    ],
)
def test_a_changed_unit_is_told_from_a_busy_day(used_mb: int, before: list[int], is_odd: bool) -> None:
    assert is_implausible(used_mb * MB, [each * MB for each in before]) is is_odd
