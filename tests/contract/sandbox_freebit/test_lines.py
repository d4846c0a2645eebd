"""Lines: how they begin, what may change when, how data are counted, how they end."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.contract.sandbox_freebit.conftest import EID, LIVING, Freebit

PERSON = {
    "lastnameKanji": "田中", "firstnameKanji": "愛子", "lastnameZenKana": "タナカ", "firstnameZenKana": "アイコ",
    "gender": "W", "birthday": "19900401",
}  # fmt: skip
MNP = PERSON | {"reserveNumber": "1234567890", "reserveExpireDate": "20991231", "method": "10"}
VOICE = {"userConfirmed": "10", "aladinOperated": "20"}


def in_days(days: int) -> str:
    return (datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(days=days)).strftime("%Y%m%d")


async def change_voice(freebit: Freebit, account: str, **talk: str) -> str:
    return await freebit.codes("mvno/talkoption/changeOrder/", account=account, talkOption=talk, **VOICE)


async def test_a_physical_line_becomes_active_after_a_while(freebit: Freebit) -> None:
    sim = await freebit.blank()
    fields = {"account": sim["account"], "productNumber": sim["productNumber"], "planCode": "PASI_V10G"}
    assert await freebit.codes("master/addAcnt/", createType="new", **fields) == "100-200"
    assert (await freebit.line(sim["account"]))["state"] == "waiting"
    voice = {"talkOption": {"voiceMail": "10"}, "identificationData": PERSON, **VOICE}
    assert await freebit.codes("mvno/talkoption/addOrder/", account=sim["account"], **voice) == "100-200"
    await freebit.advance(20)
    line = await freebit.line(sim["account"])
    assert (line["state"], line["talk"]["voiceMail"], line["talk"]["callWaiting"]) == ("active", "10", "20")
    assert (line["iccid"], line["planCode"], line["size"]) == (sim["iccid"], "PASI_V10G", "nano")
    assert await freebit.codes("master/addAcnt/", **fields) == "400-310"


async def test_an_unregistered_sim_does_not_exist(freebit: Freebit) -> None:
    fields = {"account": "07011112222", "productNumber": "AX9999999999999", "planCode": "PASI_V10G"}
    assert await freebit.codes("master/addAcnt/", **fields) == "210-210"


async def test_a_network_may_want_sims_registered_first(freebit: Freebit) -> None:
    await freebit.set_faults(special={"preregister": -1})
    sim = await freebit.blank()
    fields = {"account": sim["account"], "productNumber": sim["productNumber"], "planCode": "PASI_D05G"}
    assert await freebit.codes("master/addAcnt/", **fields) == "210-210"
    assert await freebit.codes("mvno/semiblack/addTempAcnt/", account=sim["account"]) == "100-200"
    assert await freebit.codes("master/addAcnt/", **fields) == "100-200"


async def test_an_activation_can_fail_and_frees_its_sim(freebit: Freebit) -> None:
    await freebit.set_faults(special={"fail_activation": -1})
    account = await freebit.new_line()
    assert (await freebit.line(account))["state"] == "obsolete"
    assert (await freebit.call("mvno/getWhiteSim/", account=account))["state"] == "blank"


async def test_a_number_brought_along_is_applied_at_once(freebit: Freebit) -> None:
    sim = await freebit.blank()
    fields = {"account": "09087654321", "productNumber": sim["productNumber"], "planCode": "PASI_V10G"}
    assert await freebit.codes("mvno/semiblack/addAcnt/", **fields, **PERSON, mnp=MNP) == "400-300"
    assert await freebit.codes("mvno/semiblack/addAcnt/", **fields, mnp=MNP | {"gender": "F"}) == "400-300"
    assert await freebit.codes("mvno/semiblack/addAcnt/", **fields, mnp=MNP) == "100-200"
    assert (await freebit.line("09087654321"))["state"] == "active"
    assert await freebit.codes("mvno/semiblack/addAcnt/", **fields, mnp=MNP) == "400-310"
    assert await freebit.codes("mvno/semiblack/changeState/", account=sim["account"], state="60") == "100-200"


async def test_an_esim_is_made_and_reissued_and_its_code_comes_by_no_read(freebit: Freebit) -> None:
    account = (await freebit.blank("esim"))["account"]
    fields = {"account": account, "eid": EID, "simKind": "E0", "planCode": "PASI_V05G"}
    assert await freebit.codes("mvno/esim/addAcnt/", addKind="N", **fields | {"eid": "1" * 32}) == "400-300"
    for wrong in ({"simKind": "E2"}, {"planCode": "PASI_D05G"}):
        assert await freebit.codes("mvno/esim/addAcnt/", addKind="N", **fields | wrong) == "400-300"
    assert await freebit.codes("mvno/esim/addAcnt/", addKind="N", **fields) == "100-200"
    await freebit.advance(20)
    wanted: dict[str, Any] = {"requestDatas": [{"kind": "MVNO", "account": account}], "displayPass": "10"}
    first = (await freebit.call("master/getAcnt/", **wanted))["responseDatas"][0]
    assert (first["state"], first["eid"], first["size"]) == ("active", EID, "esim") and "activationCode" not in first
    again = {"addKind": "R", "account": account, "eid": EID, "planCode": "PASI_V05G"}
    nested = {"reissue": {"oldEid": EID}}
    # The old forms: the former EID beside the new one, the kind once more, another line's EID.
    for refused, codes in (
        ({"oldEid": EID}, "400-300"),
        (nested | {"simKind": "E0"}, "400-300"),
        ({"reissue": {"oldEid": "1" * 32}}, "400-310"),
        ({}, "400-310"),
    ):
        assert await freebit.codes("mvno/esim/addAcnt/", **again, **refused) == codes
    assert await freebit.codes("mvno/esim/addAcnt/", **again, **nested) == "100-200"
    await freebit.advance(20)
    assert (await freebit.line(account))["iccid"] != first["iccid"]


async def test_any_kind_of_job_can_be_late_or_come_to_nothing(freebit: Freebit) -> None:
    account = await freebit.new_line()
    await freebit.set_faults(special={"late_voice": 2, "fail_line": 1})
    assert await change_voice(freebit, account, voiceMail="10") == "100-200"
    await freebit.advance(60)
    assert (await freebit.line(account))["talk"]["voiceMail"] == "20"
    await freebit.advance(120)
    assert (await freebit.line(account))["talk"]["voiceMail"] == "10"
    await freebit.advance(1800)
    await freebit.log_in()
    assert await freebit.codes("mvno/contractline/change/", account=account, contractLine="5G") == "100-200"
    await freebit.advance(1900)
    await freebit.log_in()
    assert (await freebit.line(account))["contractLine"] == "4G"


async def test_the_back_office_uses_data_suspends_and_tells_the_days(freebit: Freebit) -> None:
    account, office = await freebit.new_line(), f"{freebit.office}/api"

    async def act(action: str, **wanted: int) -> int:
        return (await freebit.browser.post(f"{office}/sim-lines/{account}/{action}", json=wanted)).status_code

    async def left() -> int:
        return int((await freebit.line(account))["quota"])

    before = await left()
    assert await act("use", mb=500) == 200 and await left() in range(before - 502, before - 498)
    assert await act("use") == 409 and await act("dance") == 404
    assert await act("suspend") == 200 and await act("use", mb=1) == 409
    paused = await left()
    await freebit.advance(3600)
    await freebit.log_in()
    assert await left() == paused and (await freebit.line(account))["state"] == "suspended"
    assert await act("resume") == 200 and (await freebit.line(account))["state"] == "active"
    # Far more than the plan: nothing is left, and not less than nothing.
    assert await act("use", mb=400_000) == 200 and await left() == 0
    rows = (await freebit.browser.get(f"{office}/sim-usage.csv", params={"days": 2})).text.splitlines()
    assert rows[0] == "account,date,traffic" and any(row.startswith(f"{LIVING},") for row in rows)


async def test_traffic_can_be_late_incomplete_and_in_another_unit(freebit: Freebit) -> None:
    async def days() -> list[str]:
        told = await freebit.call("mvno/getTrafficInfo/", account=LIVING)
        return told["traffic"]["inRecentDays"].split(",")

    usual = await days()
    await freebit.set_faults(special={"usage_gap": 2, "usage_unit": 1000, "recent_days": 3, "quota_missing": 1})
    assert await days() == [str(int(usual[0]) * 1000), "", str(int(usual[2]) * 1000)]
    assert "quota" not in await freebit.line(LIVING)


@pytest.mark.parametrize(("operation", "kind"), [("mvno/esim/addAcnt/", "M"), ("mvno/ota/addAcnt/", "R")])
async def test_aladin_cannot_do_everything(freebit: Freebit, operation: str, kind: str) -> None:
    fields = {"account": LIVING, "eid": EID, "planCode": "PASI_V05G", "addKind": kind, "aladinOperated": "10"}
    assert await freebit.codes(operation, **fields) == "400-356"


async def test_usage_grows_with_the_clock_in_numbers_as_text(freebit: Freebit) -> None:
    before = (await freebit.call("mvno/getTrafficInfo/", account=LIVING))["traffic"]
    await freebit.advance(86400)
    await freebit.log_in()
    after = (await freebit.call("mvno/getTrafficInfo/", account=LIVING))["traffic"]
    assert int(before["today"]) <= int(after["inRecentDays"].split(",")[0]) and after["blackList"] in ("10", "20")
    await freebit.advance(3600)
    await freebit.log_in()
    later = (await freebit.call("mvno/getTrafficInfo/", account=LIVING))["traffic"]
    assert later["today"] != after["today"]


@pytest.mark.parametrize("quota", ["0", "512001", "1.5", 100, "", "１００"])
async def test_a_quota_is_megabytes_as_text_within_bounds(freebit: Freebit, quota: Any) -> None:
    assert await freebit.codes("master/addSpec/", kind="MVNO", account=LIVING, quota=quota) == "400-300"


async def test_added_data_count_and_stand_in_the_history(freebit: Freebit) -> None:
    before = int((await freebit.line(LIVING))["quota"])
    added = {"kind": "MVNO", "account": LIVING, "quota": "2048", "quotaCode": "click-1"}
    assert await freebit.codes("master/addSpec/", **added) == "100-200"
    assert int((await freebit.line(LIVING))["quota"]) in range(before + 2040, before + 2049)
    assert (await freebit.call("mvno/getQuotaHistory/", account=LIVING))["quotaHistory"][-1]["quotaCode"] == "click-1"


async def test_voice_options_change_one_at_a_time(freebit: Freebit) -> None:
    account = await freebit.new_line()
    assert await freebit.codes("mvno/talkoption/changeOrder/", account=account, talkOption={}, **VOICE) == "400-300"
    unconfirmed = VOICE | {"userConfirmed": "20"}
    wanted = {"account": account, "talkOption": {"voiceMail": "10"}}
    assert await freebit.codes("mvno/talkoption/changeOrder/", **wanted, **unconfirmed) == "400-300"
    assert await change_voice(freebit, account, voiceMail="10") == "100-200"
    assert await change_voice(freebit, account, callWaiting="10") == "409-409"
    assert (await freebit.line(account))["talk"]["voiceMail"] == "20"
    await freebit.advance(20)
    assert (await freebit.line(account))["talk"]["voiceMail"] == "10"
    assert await change_voice(freebit, account, callWaiting="10") == "100-200"


async def test_a_line_change_locks_the_line_for_half_an_hour(freebit: Freebit) -> None:
    account = await freebit.new_line()
    assert await freebit.codes("mvno/contractline/change/", account=account, contractLine="5G") == "100-200"
    assert await freebit.codes("mvno/contractline/change/", account=account, contractLine="4G") == "409-409"
    assert await change_voice(freebit, account, voiceMail="10") == "409-409"
    assert await freebit.codes("mvno/changePlan/", account=account, planCode="PASI_V25G") == "409-409"
    assert (await freebit.line(account))["contractLine"] == "4G"
    await freebit.set_faults(special={"other_lock_code": 1, "other_state": 1})
    assert await change_voice(freebit, account, voiceMail="10") == "423-001"
    assert (await freebit.line(account))["state"] == "frozen"
    await freebit.set_faults()
    await freebit.advance(1500)
    assert await change_voice(freebit, account, voiceMail="10") == "409-409"
    await freebit.advance(400)
    await freebit.log_in()
    assert (await freebit.line(account))["contractLine"] == "5G"
    assert await change_voice(freebit, account, voiceMail="10") == "100-200"


async def test_a_data_plan_has_no_voice(freebit: Freebit) -> None:
    account = await freebit.new_line("PASI_D05G")
    assert await change_voice(freebit, account, voiceMail="10") == "400-310"


async def test_a_plan_changes_on_its_day_and_a_cancellation_clears_it(freebit: Freebit) -> None:
    one, other = LIVING, await freebit.new_line()
    for account in (one, other):
        change = {"account": account, "planCode": "PASI_V25G", "globalIp": "20", "runTime": in_days(5)}
        assert await freebit.codes("mvno/changePlan/", **change) == "100-200"
        assert (await freebit.line(account))["nextPlanCode"] == "PASI_V25G"
    ending = {"kind": "MVNO", "account": other, "runDate": in_days(6)}
    assert await freebit.codes("master/cnclAcnt/", **ending) == "100-200"
    line = await freebit.line(other)
    assert (line["nextPlanCode"], line["cancelDate"], line["state"]) == ("", in_days(6), "active")
    for operation in ("mvno/changePlan/", "mvno/contractline/change/"):
        fields = {"account": other, "planCode": "PASI_V25G", "contractLine": "5G"}
        assert await freebit.codes(operation, **fields) == "400-310"
    await freebit.advance(6 * 86400)
    await freebit.log_in()
    assert [(await freebit.line(account))["planCode"] for account in (one, other)] == ["PASI_V25G", "PASI_V10G"]
    assert (await freebit.line(other))["state"] == "obsolete"


async def test_a_line_without_a_date_ends_in_some_minutes(freebit: Freebit) -> None:
    account = await freebit.new_line()
    assert await freebit.codes("master/cnclAcnt/", kind="MVNO", account=account) == "100-200"
    assert (await freebit.line(account))["state"] == "active"
    await freebit.advance(20)
    assert (await freebit.line(account))["state"] == "obsolete"


async def test_the_operator_ends_jobs_by_hand(freebit: Freebit) -> None:
    jobs = {}
    for action in ("finish", "fail"):
        account = (await freebit.blank("esim"))["account"]
        fields = {"account": account, "eid": EID, "planCode": "PASI_V05G", "addKind": "N", "simKind": "E0"}
        assert await freebit.codes("mvno/esim/addAcnt/", **fields) == "100-200"
        lines = (await freebit.browser.get(f"{freebit.office}/api/sim-lines")).json()["lines"]
        jobs[action] = next(line for line in lines if line["account"] == account)["jobs"][0]["id"]
        done = await freebit.browser.post(f"{freebit.office}/api/sim-lines/jobs/{jobs[action]}/{action}")
        assert done.status_code == 200
        assert (await freebit.line(account))["state"] == {"finish": "active", "fail": "obsolete"}[action]
    again = await freebit.browser.post(f"{freebit.office}/api/sim-lines/jobs/{jobs['fail']}/finish")
    unknown = await freebit.browser.post(f"{freebit.office}/api/sim-lines/jobs/99999/finish")
    assert (again.status_code, unknown.status_code) == (409, 404)
    assert (await freebit.browser.get(f"{freebit.office}/sim-lines")).status_code == 200
