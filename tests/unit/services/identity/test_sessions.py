"""Sessions: tokens rotate, stolen ones are detected, and an ended session is over everywhere."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from redis.asyncio import Redis

from portal_app.domain.errors import NotSignedIn, StepUpNeeded
from portal_app.domain.identity.account import Tokens
from portal_app.infra.database.database import Database
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.services.identity import sessions as sessions_module
from portal_app.services.identity.sessions import Sessions
from portal_app.services.notifications.email_outbox import EmailOutbox
from tests.support.values.written import Written


async def sign_in(web: Database, sessions: Sessions, user_id: UUID) -> Tokens:
    async with web.identity() as session:
        return await sessions.open(session, user_id, factors=("pwd",), browser="Firefox", address="192.0.2.1")


async def age(web: Database, tokens: Tokens, **seconds: float) -> None:
    """Let time pass for one session: `used`, `confirmed` and `expires` of the session, `rotated` of its tokens."""
    moves = {
        "used": "UPDATE sessions SET used_at = used_at - make_interval(secs => :s) WHERE id = :id",
        "confirmed": "UPDATE sessions SET confirmed_at = confirmed_at - make_interval(secs => :s) WHERE id = :id",
        "expires": "UPDATE sessions SET expires_at = expires_at - make_interval(secs => :s) WHERE id = :id",
        "rotated": "UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => :s) WHERE session_id = :id",
    }
    async with web.identity() as session:
        connection = await session.connection()
        for what, by in seconds.items():
            await connection.execute(sa.text(moves[what]), {"s": by, "id": tokens.session_id})


async def is_alive(sessions: Sessions, tokens: Tokens) -> bool:
    try:
        await sessions.require_live(tokens.session_id)
    except NotSignedIn:
        return False
    return True


async def test_a_session_opens_and_rotates_and_stays_the_same_session(
    web: Database, sessions: Sessions, user_id: UUID
) -> None:
    first = await sign_in(web, sessions, user_id)
    assert await sessions.require_live(first.session_id) == user_id
    second = await sessions.rotate(first.refresh)
    third = await sessions.rotate(second.refresh)
    assert {first.session_id, second.session_id, third.session_id} == {first.session_id}
    assert len({first.refresh, second.refresh, third.refresh}) == 3
    assert sessions.read_access_token(third.access).factors == ("pwd",)


async def test_tokens_do_not_show_in_a_log_or_traceback(web: Database, sessions: Sessions, user_id: UUID) -> None:
    tokens = await sign_in(web, sessions, user_id)
    assert tokens.access not in repr(tokens)
    assert tokens.refresh not in repr(tokens)


async def test_a_locked_session_delays_no_other_session(web: Database, sessions: Sessions, user_id: UUID) -> None:
    held, others = await sign_in(web, sessions, user_id), [await sign_in(web, sessions, user_id) for _ in range(2)]
    for tokens in (held, *others):
        await age(web, tokens, used=600)
    async with web.identity() as session:
        lock = sa.text("SELECT 1 FROM sessions WHERE id = :id FOR UPDATE")
        await (await session.connection()).execute(lock, {"id": held.session_id})
        async with asyncio.timeout(2):
            assert all(await asyncio.gather(*(is_alive(sessions, tokens) for tokens in (held, *others))))
    lately = "SELECT count(*) FROM sessions WHERE id = ANY(:ids) AND used_at > now() - interval '5 minutes'"
    async with web.identity() as session:
        ids = {"ids": [tokens.session_id for tokens in (held, *others)]}
        assert await (await session.connection()).scalar(sa.text(lately), ids) == 2


async def test_a_rotated_token_is_accepted_within_the_grace_time(
    web: Database, sessions: Sessions, user_id: UUID
) -> None:
    first = await sign_in(web, sessions, user_id)
    await sessions.rotate(first.refresh)
    await age(web, first, rotated=50)
    again = await sessions.rotate(first.refresh)
    assert await is_alive(sessions, again)


async def test_two_tabs_that_rotate_at_once_both_stay_signed_in(
    web: Database, sessions: Sessions, user_id: UUID
) -> None:
    first = await sign_in(web, sessions, user_id)
    tabs = await asyncio.gather(*(sessions.rotate(first.refresh) for _ in range(5)))
    assert len({tab.refresh for tab in tabs}) == 5
    assert await is_alive(sessions, first)
    # The browser keeps the last cookie and continues with it.
    assert await is_alive(sessions, await sessions.rotate(tabs[3].refresh))


@pytest.mark.parametrize("which", ["the first token", "a sibling"])
async def test_older_tokens_are_reuse_after_the_successor_was_used(
    web: Database, sessions: Sessions, user_id: UUID, written: Written, which: str
) -> None:
    first = await sign_in(web, sessions, user_id)
    one, other = await sessions.rotate(first.refresh), await sessions.rotate(first.refresh)
    latest = await sessions.rotate(one.refresh)
    with pytest.raises(NotSignedIn):
        await sessions.rotate((first if which == "the first token" else other).refresh)
    for tokens in (latest, one, other, first):
        with pytest.raises(NotSignedIn):
            await sessions.rotate(tokens.refresh)
    assert not await is_alive(sessions, latest)
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'session:refresh:reused'"
    assert await written.number(query, u=user_id) == 1
    query = "SELECT count(*) FROM mails WHERE user_id = :u AND occasion = 'session_revoked'"
    assert await written.number(query, u=user_id) == 1


@pytest.mark.parametrize("seconds", [61, 70, 11 * 3600])
async def test_a_phone_that_slept_over_a_lost_answer_goes_on_and_alarms_nobody(
    web: Database, sessions: Sessions, user_id: UUID, written: Written, seconds: int
) -> None:
    first = await sign_in(web, sessions, user_id)
    await sessions.rotate(first.refresh)
    await age(web, first, rotated=seconds)
    again = await sessions.rotate(first.refresh)
    assert await is_alive(sessions, await sessions.rotate(again.refresh))
    assert await written.number("SELECT count(*) FROM mails WHERE user_id = :u", u=user_id) == 0


async def test_after_a_late_retry_the_answer_that_was_lost_ends_this_session_and_no_other(
    web: Database, sessions: Sessions, user_id: UUID, written: Written
) -> None:
    first, elsewhere = await sign_in(web, sessions, user_id), await sign_in(web, sessions, user_id)
    lost = await sessions.rotate(first.refresh)
    await age(web, first, rotated=61)
    again = await sessions.rotate(first.refresh)
    with pytest.raises(NotSignedIn):
        await sessions.rotate(lost.refresh)
    assert not await is_alive(sessions, again)
    assert await is_alive(sessions, elsewhere)
    query = "SELECT count(*) FROM mails WHERE user_id = :u AND occasion = 'session_revoked'"
    assert await written.number(query, u=user_id) == 1


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 5000])
async def test_an_unknown_refresh_token_is_refused(sessions: Sessions, token: str) -> None:
    with pytest.raises(NotSignedIn):
        await sessions.rotate(token)


@pytest.mark.parametrize("passed", [{"used": 12 * 3600 + 1}, {"expires": 30 * 86400 + 1}])
async def test_a_session_ends_after_idle_time_and_total_time(
    web: Database, sessions: Sessions, user_id: UUID, passed: dict[str, float]
) -> None:
    tokens = await sign_in(web, sessions, user_id)
    await age(web, tokens, **passed)
    assert not await is_alive(sessions, tokens)
    with pytest.raises(NotSignedIn):
        await sessions.rotate(tokens.refresh)


async def test_use_slides_the_idle_time_but_never_the_end(web: Database, sessions: Sessions, user_id: UUID) -> None:
    tokens = await sign_in(web, sessions, user_id)
    await age(web, tokens, used=11 * 3600)
    assert await is_alive(sessions, tokens)
    await age(web, tokens, used=11 * 3600)
    assert await is_alive(sessions, await sessions.rotate(tokens.refresh))
    await age(web, tokens, expires=30 * 86400)
    with pytest.raises(NotSignedIn):
        await sessions.rotate(tokens.refresh)


async def test_a_push_to_an_open_page_does_not_extend_its_session(
    web: Database, sessions: Sessions, user_id: UUID
) -> None:
    tokens = await sign_in(web, sessions, user_id)
    await age(web, tokens, used=11 * 3600)
    assert await sessions.require_live(tokens.session_id, is_use=False) == user_id
    idle = "SELECT count(*) FROM sessions WHERE id = :id AND used_at < now() - interval '10 hours'"
    async with web.identity() as session:
        assert await (await session.connection()).scalar(sa.text(idle), {"id": tokens.session_id}) == 1


async def test_an_ended_session_is_over_at_once_and_stays_over_when_redis_is_flushed(
    web: Database, sessions: Sessions, user_id: UUID, redis: Redis
) -> None:
    tokens, other = await sign_in(web, sessions, user_id), await sign_in(web, sessions, user_id)
    assert await is_alive(sessions, tokens)
    await sessions.end(tokens.session_id)
    assert not await is_alive(sessions, tokens)
    await redis.flushdb()
    assert not await is_alive(sessions, tokens)
    with pytest.raises(NotSignedIn):
        await sessions.rotate(tokens.refresh)
    assert await is_alive(sessions, other)


async def test_an_end_missed_by_redis_is_effective_within_five_seconds(
    web: Database, sessions: Sessions, user_id: UUID, redis: Redis
) -> None:
    tokens = await sign_in(web, sessions, user_id)
    assert await is_alive(sessions, tokens)
    assert await redis.ttl(f"session:{tokens.session_id}") + sessions_module._MEMORY_SECONDS <= 5


async def test_a_published_end_clears_the_memory_of_a_process(
    web: Database, make_sessions: Callable[..., Sessions], user_id: UUID
) -> None:
    here, elsewhere = make_sessions(), make_sessions()
    tokens = await sign_in(web, here, user_id)
    assert await is_alive(here, tokens) and await is_alive(elsewhere, tokens)
    await elsewhere.end(tokens.session_id)
    here.forget_session(tokens.session_id)
    assert not await is_alive(here, tokens)


async def test_a_session_that_ends_during_a_check_is_not_remembered_as_valid(
    web: Database, sessions: Sessions, user_id: UUID, redis: Redis
) -> None:
    tokens = await sign_in(web, sessions, user_id)
    looking = asyncio.create_task(is_alive(sessions, tokens))
    while not looking.done():
        sessions.forget_session(tokens.session_id)
        await asyncio.sleep(0)
    await redis.set(f"session:{tokens.session_id}", "ended")
    assert not await is_alive(sessions, tokens)


async def test_listing_ended_sessions_does_not_extend_them(web: Database, sessions: Sessions, user_id: UUID) -> None:
    alive, idle, old, ended = [await sign_in(web, sessions, user_id) for _ in range(4)]
    await age(web, alive, used=12 * 3600 - 60)
    await age(web, idle, used=12 * 3600 + 1)
    await age(web, old, expires=30 * 86400 + 1)
    await sessions.end(ended.session_id)
    unknown = uuid4()
    over = await sessions.ended_among({each.session_id for each in (alive, idle, old, ended)} | {unknown})
    assert over == {idle.session_id, old.session_id, ended.session_id, unknown}
    await age(web, alive, used=61)
    assert await sessions.ended_among({alive.session_id}) == {alive.session_id}


async def test_all_sessions_end_but_the_one_that_is_kept(web: Database, sessions: Sessions, user_id: UUID) -> None:
    mine, *others = [await sign_in(web, sessions, user_id) for _ in range(3)]
    await sessions.end_all(user_id, because="password changed", but=mine.session_id)
    assert await is_alive(sessions, mine)
    assert [await is_alive(sessions, other) for other in others] == [False, False]


async def test_without_redis_postgresql_decides(
    settings: Settings, web: Database, user_id: UUID, email_outbox: EmailOutbox
) -> None:
    nobody = connect("redis://127.0.0.1:1/0", seconds=1)
    sessions = Sessions(settings, web, nobody, LiveUpdates(nobody, Cache(nobody)), email_outbox)
    tokens = await sign_in(web, sessions, user_id)
    assert await is_alive(sessions, tokens)
    await sessions.end(tokens.session_id)
    assert not await is_alive(sessions, tokens)
    await nobody.aclose()


async def test_an_access_token_of_another_installation_is_refused(
    web: Database, sessions: Sessions, user_id: UUID, make_sessions: Callable[..., Sessions]
) -> None:
    tokens = await sign_in(web, sessions, user_id)
    other = type(sessions._settings.jwt_secret)("another secret of thirty-two bytes!")
    with pytest.raises(NotSignedIn):
        make_sessions(jwt_secret=other).read_access_token(tokens.access)


async def test_a_sensitive_change_needs_a_recent_step_up(web: Database, sessions: Sessions, user_id: UUID) -> None:
    tokens = await sign_in(web, sessions, user_id)
    await sessions.require_recent(tokens.session_id)
    await age(web, tokens, confirmed=301)
    with pytest.raises(StepUpNeeded):
        await sessions.require_recent(tokens.session_id)
    confirmed = await sessions.record_proof(tokens.session_id, tokens.refresh, factor="otp")
    await sessions.require_recent(tokens.session_id)
    assert (confirmed.session_id, confirmed.refresh == tokens.refresh) == (tokens.session_id, False)
    assert sessions.read_access_token(confirmed.access).factors == ("pwd", "otp")
    await sessions.end(tokens.session_id)
    with pytest.raises(NotSignedIn):
        await sessions.require_recent(tokens.session_id)


async def test_a_step_up_counts_only_for_the_session_of_its_refresh_token(
    web: Database, sessions: Sessions, user_id: UUID
) -> None:
    mine, other = await sign_in(web, sessions, user_id), await sign_in(web, sessions, user_id)
    await age(web, mine, confirmed=301)
    with pytest.raises(NotSignedIn):
        await sessions.record_proof(mine.session_id, other.refresh, factor="pwd")
    with pytest.raises(StepUpNeeded):
        await sessions.require_recent(mine.session_id)
    assert await is_alive(sessions, await sessions.rotate(other.refresh))
