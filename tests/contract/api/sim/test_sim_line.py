"""A SIM service's line at the API: whose it is, what is shown of it, and how often the carrier is asked."""

from datetime import datetime, timedelta

import pytest

from portal_app.infra.clock import today
from portal_app.wiring.portal import Portal
from tests.contract.api.sim.conftest import (
    DATA,
    DOUBTFUL,
    FAMILY,
    NAMES,
    VOICE,
    act,
    calls,
    case_subjects,
    forget_reading,
)
from tests.support.clients.visitor import Visitor
from tests.support.running.world import world


async def test_a_line_is_shown_with_its_data_days_and_names(sato: Visitor, services: dict[str, int]) -> None:
    shown = (await sato.get(f"/api/subscriptions/{services[VOICE]}/sim")).json()
    told = (shown["link"], shown["number"], shown["state"], shown["network"], shown["sim_type"], shown["plan"])
    assert told == ("linked", VOICE, "active", "5G", "esim", NAMES[VOICE])
    assert (shown["iccid_end"], shown["eid_end"], shown["as_of"]) == ("1012", "1036", None)
    assert shown["data"]["allowance_mb"] == 10 * 1024 and shown["data"]["left_mb"] >= 0
    assert shown["data"]["resets_on"] == str((today().replace(day=1) + timedelta(days=32)).replace(day=1))
    assert [top_up["megabytes"] for top_up in shown["top_ups"]] == [3072]
    assert (
        len(shown["days"]) == 8
        and shown["days"][-1]["is_today"]
        and all(day["used_bytes"] for day in shown["days"][:-1])
    )
    assert datetime.fromisoformat(shown["read_at"])


async def test_a_page_asks_the_carrier_three_times_and_then_not_for_minutes(
    sato: Visitor, services: dict[str, int], worker: Portal
) -> None:
    await forget_reading(worker, services[FAMILY])
    before = await calls()
    for _ in range(3):
        for path in (f"/api/subscriptions/{services[FAMILY]}/sim", f"/api/subscriptions/{services[FAMILY]}"):
            assert (await sato.get(path)).status_code == 200
    made = {
        name: count - before.get(name, 0) for name, count in (await calls()).items() if count != before.get(name, 0)
    }
    assert made == {"master/getAcnt/": 1, "mvno/getTrafficInfo/": 1, "mvno/getQuotaHistory/": 1}


async def test_a_line_that_does_not_fit_is_not_shown_and_opens_one_case(
    sato: Visitor, services: dict[str, int], worker: Portal
) -> None:
    shown = (await sato.get(f"/api/subscriptions/{services[DOUBTFUL]}/sim")).json()
    assert (shown["link"], shown["number"], shown["data"]) == ("not_linked", None, None)
    assert (await sato.get(f"/api/subscriptions/{services[DOUBTFUL]}")).json()["line"] is None
    user_id = worker.identity.sessions.read_access_token(sato.cookie("access")).user_id
    for _ in range(2):
        assert await worker.sim.links.link(user_id, services[DOUBTFUL]) == "other_plan"
        await worker.sim.links.open_case(user_id, services[DOUBTFUL], "other_plan")
    assert (await case_subjects()).count(f"SIM line not linked: service {services[DOUBTFUL]}") == 1


@pytest.mark.parametrize("whose", ["ben", "aiko"])
async def test_another_customers_line_is_not_found(
    whose: str, services: dict[str, int], request: pytest.FixtureRequest, ben: Visitor, aiko: Visitor
) -> None:
    stranger = {"ben": ben, "aiko": aiko}[whose]
    assert (await stranger.get(f"/api/subscriptions/{services[VOICE]}/sim")).status_code == 404


async def test_a_service_without_a_sim_has_no_line(ben: Visitor) -> None:
    (vpn, *_) = (await ben.get("/api/subscriptions")).json()["items"]
    assert (await ben.get(f"/api/subscriptions/{vpn['id']}/sim")).status_code == 404


async def test_saved_data_are_dated_while_the_carrier_is_away_and_missing_figures_are_unknown(
    sato: Visitor, services: dict[str, int], worker: Portal
) -> None:
    path = f"/api/subscriptions/{services[DATA]}/sim"
    known = (await sato.get(path)).json()
    await forget_reading(worker, services[DATA])
    world().set_faults("freebit", down=True)
    saved = (await sato.get(path)).json()
    assert saved["as_of"] and saved["data"]["allowance_mb"] == known["data"]["allowance_mb"]
    assert saved["days"][:-1] == known["days"][:-1]
    world().set_faults("freebit", special={"quota_missing": 1, "usage_gap": 2, "usage_late": 30})
    await worker.redis.delete("breaker:{freebit}")
    await forget_reading(worker, services[DATA])
    unknown = (await sato.get(path)).json()
    assert (unknown["as_of"], unknown["data"]["left_mb"], unknown["data"]["by_expiry"]) == (None, None, [])
    assert unknown["forecast"] is None and unknown["data"]["allowance_mb"] == 5 * 1024


async def test_data_used_now_and_a_suspension_are_seen_after_the_next_reading(
    sato: Visitor, services: dict[str, int], worker: Portal
) -> None:
    path = f"/api/subscriptions/{services[FAMILY]}/sim"
    before = (await sato.get(path)).json()["data"]["left_mb"]
    await act(FAMILY, "use", mb=100)
    await act(FAMILY, "suspend")
    await forget_reading(worker, services[FAMILY])
    after = (await sato.get(path)).json()
    assert after["state"] == "suspended" and after["forecast"] is None
    assert max(0, before - 110) <= after["data"]["left_mb"] <= max(0, before - 90)
    await act(FAMILY, "resume")
    await forget_reading(worker, services[FAMILY])
    assert (await sato.get(path)).json()["state"] == "active"
