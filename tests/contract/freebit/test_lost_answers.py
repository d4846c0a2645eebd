"""Freebit carries out a call whose answer is lost: found by a look-up, never done twice."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from portal_app.domain.errors import ExternalUnavailable, LineLocked, OutcomeUnknown
from portal_app.domain.sim.sim import NewLine
from tests.contract.freebit.test_gateway import new_line
from tests.support.vendors.sims import EID, OTHER_EID, PORT_IN, Sims

LOST = [{"lose_answers": 1}, {"broken": "half", "times": 1}, {"special": {"html": 1}}]


@pytest.mark.parametrize("faults", LOST)
async def test_data_whose_answer_is_lost_are_found_and_added_once(sims: Sims, faults: dict) -> None:
    account, reference = await new_line(sims), f"click-{uuid4()}"
    sims.set_faults(operations=["master/addSpec/"], **faults)
    for _ in range(2):
        await sims.lines.add_data(account, 1024, reference=reference)
    assert [each["quotaCode"] for each in sims.stored_line(account)["top_ups"]] == [reference]


async def test_every_kind_of_activation_is_found_after_a_lost_answer(sims: Sims) -> None:
    sim, ported, electronic = sims.blank(), sims.blank(), sims.blank("esim")
    new = NewLine(sim["account"], "PASI_V10G", product_number=sim["productNumber"])
    along = NewLine("09022223333", "PASI_V10G", product_number=ported["productNumber"])
    operations = ["master/addAcnt/", "mvno/semiblack/addAcnt/", "mvno/esim/addAcnt/"]
    sims.set_faults(operations=operations, lose_answers=3)
    for _ in range(2):
        await sims.lines.activate_physical(new)
        await sims.lines.activate_ported(along, PORT_IN)
        await sims.lines.activate_esim(NewLine(electronic["account"], "PASI_V05G"), eid=EID)
    assert [sims.count("activate", account) for account in (sim["account"], electronic["account"])] == [1, 1]


async def test_plan_change_and_cancellation_are_found_after_a_lost_answer(sims: Sims) -> None:
    account, soon = await new_line(sims), sims.clock.now().date() + timedelta(days=9)
    sims.set_faults(lose_answers=2, operations=["mvno/changePlan/", "master/cnclAcnt/"])
    await sims.lines.change_plan(account, "PASI_V25G", starts_on=soon)
    await sims.lines.cancel(account, ends_on=soon)
    line = await sims.lines.line(account)
    assert (line.ends_on, sims.count("plan", account), sims.count("cancel", account)) == (soon, 1, 1)


async def test_a_slow_change_that_cannot_be_seen_yet_keeps_its_lock(sims: Sims) -> None:
    account = await new_line(sims)
    sims.set_faults(lose_answers=1)
    with pytest.raises(OutcomeUnknown):
        await sims.lines.change_network(account, "5G")
    with pytest.raises(LineLocked):
        await sims.lines.change_network(account, "5G")
    sims.advance(minutes=31)
    await sims.lose_locks()
    await sims.lines.change_network(account, "5G")
    assert sims.count("line", account) == 1


async def test_a_new_profile_whose_answer_is_lost_is_not_made_twice(sims: Sims) -> None:
    account = sims.blank("esim")["account"]
    await sims.lines.activate_esim(NewLine(account, "PASI_V05G"), eid=EID)
    sims.advance(seconds=20)
    sims.set_faults(lose_answers=1)
    with pytest.raises(OutcomeUnknown):
        await sims.lines.reissue_esim(account, eid=OTHER_EID)
    with pytest.raises(LineLocked):
        await sims.lines.reissue_esim(account, eid=OTHER_EID)
    assert sims.count("esim", account) == 1


async def test_an_effect_without_a_look_up_stays_unknown_and_is_not_repeated(sims: Sims) -> None:
    account, reference = await new_line(sims), f"click-{uuid4()}"
    sims.set_faults(broken="silence", operations=["master/addSpec/"])
    hasty = sims.another(freebit_timeout=0.5)
    with pytest.raises(OutcomeUnknown):
        await hasty.add_data(account, 1024, reference=reference)
    sims.set_faults()
    with pytest.raises(LineLocked):
        await sims.lines.add_data(account, 1024, reference=reference)
    assert sims.stored_line(account)["top_ups"] == []


async def test_what_was_never_sent_may_be_sent_again_at_once(sims: Sims) -> None:
    account, reference = await new_line(sims), f"click-{uuid4()}"
    nowhere = sims.another(freebit_paths="PA04-04=nowhere/")
    with pytest.raises(ExternalUnavailable):
        await nowhere.add_data(account, 1024, reference=reference)
    await sims.lines.add_data(account, 1024, reference=reference)
    assert len(sims.stored_line(account)["top_ups"]) == 1


async def test_a_key_that_ends_under_way_costs_one_more_try(sims: Sims) -> None:
    account = await new_line(sims)
    sims.set_faults(special={"expire_key": 1}, operations=["master/addSpec/"])
    await sims.lines.add_data(account, 1024, reference="under-way")
    assert len(sims.stored_line(account)["top_ups"]) == 1


async def test_concurrent_clicks_in_two_processes_have_one_effect(sims: Sims) -> None:
    account, other = await new_line(sims), sims.another()
    soon = sims.clock.now().date() + timedelta(days=3)
    for place in range(3):
        clicks = [each.add_data(account, 100, reference=f"crowd-{place}") for each in (sims.lines, other) * 4]
        for result in await asyncio.gather(*clicks, return_exceptions=True):
            assert result is None or isinstance(result, LineLocked)
    await asyncio.gather(
        *(each.cancel(account, ends_on=soon) for each in (sims.lines, other) * 4), return_exceptions=True
    )
    assert (len(sims.stored_line(account)["top_ups"]), sims.count("cancel", account)) == (3, 1)
