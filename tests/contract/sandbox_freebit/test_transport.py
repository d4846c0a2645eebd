"""Envelope, keys and result codes: one form field `json`, HTTP 200 for every result."""

import httpx
import pytest

from tests.contract.sandbox_freebit.conftest import LIVING, Freebit

DETAIL = {"version": "2", "requestDatas": [{"kind": "MVNO", "account": LIVING}]}


async def test_a_key_is_given_for_the_right_id_and_secret_only(freebit: Freebit) -> None:
    who = {"oemId": freebit.settings["freebit_client_id"], "oemKey": freebit.settings["freebit_client_secret"]}
    answer = (await freebit.post("authOem/", who)).json()
    assert (answer["resultCode"], answer["status"]) == ("100", {"message": "OK", "statusCode": "200"})
    assert answer["authKey"]
    refused = await freebit.post("authOem/", who | {"oemKey": "wrong"})
    assert (refused.status_code, refused.json()["resultCode"]) == (200, "401") and "authKey" not in refused.json()


async def test_a_raw_json_body_is_not_understood(freebit: Freebit) -> None:
    raw = await freebit.browser.post(f"{freebit.url}/master/getAcnt/", json={"authKey": freebit.key, **DETAIL})
    assert raw.json()["resultCode"] == "400"


async def test_a_key_ends_after_its_time(freebit: Freebit) -> None:
    await freebit.advance(1801)
    assert await freebit.codes("master/getAcnt/", **DETAIL) == "401-401"
    await freebit.log_in()
    assert await freebit.codes("master/getAcnt/", **DETAIL) == "100-200"


async def test_a_second_form_field_is_ignored(freebit: Freebit) -> None:
    form = {"json": '{"authKey": "' + freebit.key + '", "account": "' + LIVING + '"}', "version": "1"}
    assert (await freebit.browser.post(f"{freebit.url}/mvno/getTrafficInfo/", data=form)).json()["resultCode"] == "100"


async def test_an_unknown_account_is_refused_in_the_vendors_words(freebit: Freebit) -> None:
    answer = await freebit.call("master/getAcnt/", requestDatas=[{"kind": "MVNO", "account": "07000000000"}])
    assert (answer["resultCode"], answer["status"]["message"]) == ("210", "アカウント不在エラー")


async def test_of_a_list_only_the_first_entry_is_honoured(freebit: Freebit) -> None:
    wanted = [{"kind": "MVNO", "account": LIVING}, {"kind": "MVNO", "account": "07000000000"}]
    assert len((await freebit.call("master/getAcnt/", requestDatas=wanted))["responseDatas"]) == 1


async def test_a_boolean_at_any_depth_is_refused(freebit: Freebit) -> None:
    for talk in ({"voiceMail": True}, {"voiceMail": "true"}, {"voiceMail": 10}):
        codes = await freebit.codes("mvno/talkoption/changeOrder/", account=LIVING, userConfirmed="10", talkOption=talk)
        assert codes == "400-300"


async def test_an_unknown_address_is_a_page_of_html(freebit: Freebit) -> None:
    answer = await freebit.post("mvno/nothing/", {})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_key_can_end_under_way(freebit: Freebit) -> None:
    await freebit.set_faults(special={"expire_key": 1})
    assert await freebit.codes("master/getAcnt/", **DETAIL) == "401-401"
    await freebit.log_in()
    assert await freebit.codes("master/getAcnt/", **DETAIL) == "100-200"


@pytest.mark.parametrize(
    ("lie", "status", "says"),
    [("html", 200, "<html>"), ("no_code", 200, '"status"'), ("wrong_code", 200, '"999"')],
)
async def test_a_wrong_answer_can_be_requested_once(freebit: Freebit, lie: str, status: int, says: str) -> None:
    await freebit.set_faults(special={lie: 1})
    answer = await freebit.post("master/getAcnt/", {"authKey": freebit.key, **DETAIL})
    assert answer.status_code == status and says in answer.text and '"resultCode":"100"' not in answer.text
    assert await freebit.codes("master/getAcnt/", **DETAIL) == "100-200"


async def test_codes_can_be_numbers(freebit: Freebit) -> None:
    await freebit.set_faults(special={"numeric_codes": 1})
    answer = await freebit.call("master/getAcnt/", **DETAIL)
    assert (answer["resultCode"], answer["status"]["statusCode"]) == (100, 200)


@pytest.mark.parametrize(("faults", "status"), [({"down": True}, 503), ({"flaky": 1.0}, 500)])
async def test_a_vendor_away_answers_html(freebit: Freebit, faults: dict, status: int) -> None:
    await freebit.set_faults(**faults)
    answer = await freebit.post("master/getAcnt/", DETAIL)
    assert (answer.status_code, answer.text[:6]) == (status, "<html>")


@pytest.mark.parametrize("faults", [{"lose_answers": 1}, {"broken": "half", "times": 1}])
async def test_an_answer_lost_leaves_its_effect(freebit: Freebit, faults: dict) -> None:
    code = f"lost-{faults}"
    await freebit.set_faults(**faults)
    with pytest.raises(httpx.RemoteProtocolError):
        await freebit.call("master/addSpec/", kind="MVNO", account=LIVING, quota="100", quotaCode=code)
    history = (await freebit.call("mvno/getQuotaHistory/", account=LIVING))["quotaHistory"]
    assert [each["quotaCode"] for each in history].count(code) == 1
