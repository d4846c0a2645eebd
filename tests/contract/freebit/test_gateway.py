"""SIM lines through our gateway: what every system must do, and what only the sandbox allows."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.domain.errors import Conflict, ExternalRejected, ExternalUnavailable, LineLocked, NotFound
from portal_app.domain.sim.sim import NewLine, SimPlanKind
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit.codes import FreebitRejected
from portal_app.integrations.freebit.locks import Change, LineLocks
from tests.support.vendors.sims import EID, OTHER_EID, PERSON, PORT_IN, Sims

UNKNOWN = "07000000000"


async def forget(redis: Redis, *patterns: str) -> None:
    """Have Redis lose some of its keys."""
    for pattern in patterns:
        await redis.delete("none", *await redis.keys(pattern))


async def new_line(sims: Sims, plan: str = "PASI_V10G") -> str:
    """Activate a physical line and return its account."""
    sim = sims.blank()
    await sims.lines.activate_physical(NewLine(sim["account"], plan, product_number=sim["productNumber"]))
    sims.advance(seconds=20)
    return sim["account"]


async def test_a_living_line_is_read(anywhere: Sims) -> None:
    line = await anywhere.lines.line(anywhere.living)
    assert (line.account, line.state) == (anywhere.living, "active") and line.plan_code


async def test_an_unknown_line_is_not_found(anywhere: Sims) -> None:
    for read in (anywhere.lines.line, anywhere.lines.top_ups, anywhere.lines.usage):
        with pytest.raises(NotFound):
            await read(UNKNOWN)


async def test_usage_is_bytes_per_day(anywhere: Sims) -> None:
    usage = await anywhere.lines.usage(anywhere.living)
    assert usage.today_bytes >= 0 and usage.recent_days_bytes and not usage.is_restricted


async def test_data_is_added_once_per_reference(anywhere: Sims) -> None:
    reference = f"contract-{uuid4()}"
    for _ in range(2):
        await anywhere.lines.add_data(anywhere.living, 1, reference=reference)
    found = [each for each in await anywhere.lines.top_ups(anywhere.living) if each.reference == reference]
    assert [each.megabytes for each in found] == [1]


async def test_the_network_answers_a_check(anywhere: Sims) -> None:
    await anywhere.lines.last_answered_at()


async def test_a_check_fails_while_the_network_is_away_and_recovers(sims: Sims, redis) -> None:
    began = datetime.now(UTC)
    for faults in ({"down": True}, {"broken": "html"}, {"special": {"expire_key": -1}}):
        sims.set_faults(**faults)
        with pytest.raises(ExternalUnavailable):
            await sims.lines.last_answered_at()
        sims.set_faults()
        await forget(redis, "breaker:*")
        assert await sims.lines.last_answered_at() >= began
        await forget(redis, "c:freebit-*")


async def test_a_failed_call_discards_the_cached_health_check(sims: Sims) -> None:
    long_lived = {"freebit_check_seconds": 3600, "portal_breaker_failures": 50}
    one, other = sims.another(**long_lived), sims.another(**long_lived)
    answered_at = await other.last_answered_at()
    assert await other.last_answered_at() == answered_at
    sims.set_faults(broken="half")
    with pytest.raises(ExternalUnavailable):
        await one.line(sims.living)
    with pytest.raises(ExternalUnavailable):
        await other.last_answered_at()
    sims.set_faults()
    assert await other.last_answered_at() > answered_at


async def test_usage_is_not_read_again_within_minutes(sims: Sims) -> None:
    before = await sims.lines.usage(sims.living)
    sims.advance(hours=1)
    assert await sims.another().usage(sims.living) == before


async def test_a_physical_line_is_activated_with_voice(sims: Sims) -> None:
    sim = sims.blank()
    await sims.lines.activate_physical(NewLine(sim["account"], "PASI_V10G", "5G", sim["productNumber"]))
    await sims.lines.register_voice(sim["account"], {"voice_mail": True, "call_waiting": False}, PERSON)
    assert (await sims.lines.line(sim["account"])).state == "waiting"
    sims.advance(seconds=20)
    line = await sims.lines.line(sim["account"])
    assert (line.state, line.network, line.iccid, line.eid) == ("active", "5G", sim["iccid"], "")
    assert (line.voice["voice_mail"], line.voice["call_waiting"], line.started_on is not None) == (True, False, True)
    assert sims.stored_line(sim["account"])["identity"]["gender"] == "W"


async def test_a_sim_may_need_registration_before_activation(sims: Sims) -> None:
    sims.set_faults(special={"preregister": -1})
    sim = sims.blank()
    new = NewLine(sim["account"], "PASI_D05G", product_number=sim["productNumber"])
    with pytest.raises(NotFound):
        await sims.lines.activate_physical(new)
    await sims.another(freebit_preregister=True).activate_physical(new)
    assert (await sims.lines.line(sim["account"])).state == "waiting"


async def test_a_number_is_brought_along(sims: Sims) -> None:
    sim = sims.blank()
    await sims.lines.activate_ported(NewLine("09087654321", "PASI_V10G", product_number=sim["productNumber"]), PORT_IN)
    assert (await sims.lines.line("09087654321")).state == "active"


async def test_an_esim_is_activated_and_reissued(sims: Sims) -> None:
    account = sims.blank("esim")["account"]
    await sims.lines.activate_esim(NewLine(account, "PASI_V05G"), eid=EID)
    sims.advance(seconds=20)
    first = await sims.lines.line(account)
    assert (first.state, first.eid) == ("active", EID)
    await sims.lines.reissue_esim(account, eid=OTHER_EID)
    with pytest.raises(LineLocked):
        await sims.lines.reissue_esim(account, eid=OTHER_EID)
    sims.advance(seconds=20)
    again = await sims.lines.line(account)
    assert again.eid == OTHER_EID and again.iccid != first.iccid


async def test_an_esim_brings_a_number_along(sims: Sims) -> None:
    await sims.lines.activate_esim(NewLine("08011112222", "PASI_V05G"), eid=EID, port_in=PORT_IN)
    sims.advance(seconds=20)
    assert (await sims.lines.line("08011112222")).state == "active" and sims.stored_line("08011112222")["ported"]


async def test_a_failed_activation_is_no_line_and_may_be_tried_again_at_once(sims: Sims) -> None:
    sims.set_faults(special={"fail_activation": 1})
    sim = sims.blank()
    new = NewLine(sim["account"], "PASI_V10G", product_number=sim["productNumber"])
    await sims.lines.activate_physical(new)
    await sims.lines.register_voice(new.account, {"voice_mail": True}, PERSON)
    sims.advance(seconds=20)
    assert not (await sims.lines.line(new.account)).exists
    with pytest.raises(LineLocked):
        await sims.lines.activate_physical(new)
    for _ in range(2):
        await sims.lines.note_failed_opening(new.account)
    await sims.lines.activate_physical(new)
    await sims.lines.register_voice(new.account, {"voice_mail": True}, PERSON)
    sims.advance(seconds=20)
    assert (await sims.lines.line(new.account)).state == "active"


@pytest.mark.parametrize(("plan", "kind"), [("PASI_V05G", "voice"), ("PASI_D05G", "data")])
async def test_an_esim_is_ordered_as_what_its_plan_carries(sims: Sims, plan: str, kind: SimPlanKind) -> None:
    account = sims.blank("esim")["account"]
    wrong: SimPlanKind = "sms" if kind == "data" else "data"
    with pytest.raises(ExternalRejected, match="400-300"):
        await sims.lines.activate_esim(NewLine(account, plan, plan_kind=wrong), eid=EID)
    await sims.lines.activate_esim(NewLine(account, plan, plan_kind=kind), eid=EID)
    sims.advance(seconds=20)
    assert (await sims.lines.line(account)).state == "active"


async def test_the_former_setting_of_esim_kinds_still_means_voice(sims: Sims) -> None:
    account = sims.blank("esim")["account"]
    with pytest.raises(ExternalRejected):
        await sims.another(freebit_esim_kind="E9").activate_esim(NewLine(account, "PASI_V05G"), eid=EID)
    new = NewLine(account, "PASI_D05G", plan_kind="data")
    await sims.another(freebit_esim_kind="E0").activate_esim(new, eid=EID)


async def test_a_line_change_locks_the_line_for_all_processes(sims: Sims) -> None:
    account, other = await new_line(sims), sims.another()
    await sims.lines.change_network(account, "5G")
    locks = await sims.locked_lines()
    assert locks and not any(account.encode() in lock for lock in locks)
    # The lock is ours: a call that was sent nevertheless would return a web page.
    changes = ["mvno/talkoption/changeOrder/", "mvno/contractline/change/", "mvno/changePlan/", "master/cnclAcnt/"]
    sims.set_faults(broken="html", operations=changes)
    with pytest.raises(LineLocked) as caught:
        await other.change_voice(account, {"voice_mail": True})
    assert 1700 < caught.value.retry_after <= 1800
    for change in (other.change_network(account, "5G"), other.change_plan(account, "PASI_V25G"), other.cancel(account)):
        with pytest.raises(LineLocked):
            await change
    await other.add_data(account, 1024, reference="beside")
    assert sims.count("line", account) == 1
    sims.advance(minutes=31)
    assert (await sims.lines.line(account)).network == "5G"


async def test_locks_survive_a_flush_of_redis(sims: Sims, redis: Redis) -> None:
    account = await new_line(sims)
    await sims.lines.change_network(account, "5G")
    await redis.flushdb()
    with pytest.raises(LineLocked) as caught:
        await sims.another().change_voice(account, {"voice_mail": True})
    assert not caught.value.is_at_most
    assert sims.count("voice", account) == 0


async def test_the_lock_of_the_vendor_raises_line_locked(sims: Sims) -> None:
    account = await new_line(sims)
    await sims.lines.change_network(account, "5G")
    await sims.lose_locks()
    with pytest.raises(LineLocked) as caught:
        await sims.lines.change_voice(account, {"voice_mail": True})
    assert caught.value.retry_after == 1800 and caught.value.is_at_most
    # It may be over at any moment, so it holds up no further try.
    sims.advance(minutes=31)
    await sims.lines.change_voice(account, {"voice_mail": True})


async def test_only_voice_options_that_differ_are_sent(sims: Sims) -> None:
    account = await new_line(sims)
    await sims.lines.change_voice(account, {"voice_mail": False})
    assert sims.count("voice", account) == 0
    await sims.lines.change_voice(account, {"voice_mail": True, "roaming": False})
    with pytest.raises(LineLocked) as caught:
        await sims.lines.change_voice(account, {"call_waiting": True})
    assert caught.value.retry_after <= 600
    sims.advance(seconds=20)
    assert (await sims.lines.line(account)).voice["voice_mail"]


async def test_a_plan_changes_on_its_day_and_a_cancellation_comes_after(sims: Sims) -> None:
    account = await new_line(sims)
    soon = sims.clock.now().date() + timedelta(days=5)
    for _ in range(2):
        await sims.lines.change_plan(account, "PASI_V25G", starts_on=soon)
    line = await sims.lines.line(account)
    assert (line.next_plan_code, line.next_plan_on, sims.count("plan", account)) == ("PASI_V25G", soon, 1)
    for _ in range(2):
        await sims.lines.cancel(account, ends_on=soon)
    line = await sims.lines.line(account)
    assert (line.next_plan_code, line.ends_on, sims.count("cancel", account)) == ("", soon, 1)
    for change in (sims.lines.change_network(account, "5G"), sims.lines.change_voice(account, {"roaming": True})):
        with pytest.raises(Conflict):
            await change
    sims.advance(days=6)
    assert not (await sims.lines.line(account)).exists


async def test_a_refusal_carries_codes_and_frees_the_line(sims: Sims) -> None:
    account = await new_line(sims, "PASI_D05G")
    for _ in range(2):
        with pytest.raises(ExternalRejected, match="PA05-06: 400-310"):
            await sims.lines.change_voice(account, {"voice_mail": True})
    assert (await sims.lines.line(account)).voice["voice_mail"] is False


async def test_a_refusal_frees_no_lock_that_somebody_else_took_meanwhile(sims: Sims) -> None:
    locks = LineLocks(sims.database, key_ring_of(Settings(portal_env="development")))
    network = Change(("network",), {"network": 60})
    with pytest.raises(FreebitRejected):
        async with locks.held(UNKNOWN, network):
            await locks.release(UNKNOWN, ["network"])
            async with locks.held(UNKNOWN, network):
                pass
            raise FreebitRejected("PA05-38", "400")
    with pytest.raises(LineLocked):
        async with locks.held(UNKNOWN, network):
            pass


async def test_without_postgresql_lines_are_read_and_not_changed(sims: Sims) -> None:
    account = await new_line(sims)
    alone = sims.another(database_url="postgresql://portal@127.0.0.1:1/portal")
    assert (await alone.line(account)).state == "active"
    with pytest.raises(ExternalUnavailable):
        await alone.change_network(account, "5G")
    assert sims.count("line", account) == 0


@pytest.mark.parametrize("account", ["", "090", "0901234567a", "090-1234-5678", "０９０１２３４５６７８"])
async def test_a_malformed_account_never_goes_out(sims: Sims, account: str) -> None:
    sims.set_faults(down=True)
    for read in (sims.lines.line, sims.lines.usage, sims.lines.top_ups):
        with pytest.raises(ValueError):
            await read(account)
