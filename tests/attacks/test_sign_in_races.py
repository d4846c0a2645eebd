"""Sign-in races: a password checked before the account was protected must not open a session afterwards."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx
import pytest

from portal_app.domain.identity.account import Origin
from portal_app.models.lockout import SignInAttempts
from portal_app.models.session import Session
from portal_app.models.user import EMAIL_PLACE, User
from portal_app.wiring.portal import Portal
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.visitor import Visitor, mailed, new_account
from tests.support.running.world import PASSWORD
from tests.support.waiting import until

NEW = "another long password of mine"
LOGIN, STEP = "/api/auth/login", "/api/auth/second-step"


@asynccontextmanager
async def held_up(portal: Portal) -> AsyncIterator[None]:
    """Queue every password check of a process until the block ends, as many sign-ins at once do."""
    gate = threading.Event()
    threads = [portal.identity.secrets.passwords._queue._pool.submit(gate.wait) for _ in range(2)]
    try:
        yield
    finally:
        gate.set()
        await asyncio.gather(*map(asyncio.wrap_future, threads))


async def owner_of(portal: Portal, email: str) -> User:
    async with portal.database.identity() as session:
        user = await User.by_email(session, portal.identity.secrets.ring.index(email, EMAIL_PLACE))
    assert user is not None
    return user


async def sessions_of(portal: Portal, user_id: UUID) -> int:
    async with portal.database.identity() as session:
        return len(await Session.alive_of(session, user_id))


async def password_changed(worker: Portal, user: User) -> None:
    await worker.identity.password_changes.change(user.id, uuid4(), PASSWORD, password=NEW)


async def password_reset(worker: Portal, user: User) -> None:
    await worker.identity.password_changes.request_reset(user.email, Origin("198.51.100.41", "curl"))
    # The sign-ins that arrive at the same time are mailed, too.
    token = (await mailed(worker, user.email, "password_reset"))["token"]
    await worker.identity.password_changes.reset(token, NEW)


async def account_closed(worker: Portal, user: User) -> None:
    await worker.identity.account_closing.close(user.customer_number)


@pytest.mark.parametrize("protect", [password_changed, account_closed])
async def test_a_sign_in_that_began_before_the_account_was_protected_opens_no_session(
    visitor: Visitor, portal: Portal, worker: Portal, protect: Callable[[Portal, User], Awaitable[None]]
) -> None:
    email = await new_account(portal)
    user = await owner_of(portal, email)

    async def is_counted() -> bool:
        async with portal.database.identity() as session:
            return await session.get(SignInAttempts, user.email_index) is not None

    async with held_up(portal):
        thief = asyncio.create_task(visitor.call("POST", LOGIN, {"email": email, "password": PASSWORD}))
        await until(is_counted, "the try is counted, its password about to be checked")
        await protect(worker, user)
    assert (await thief).status_code == 401
    assert await sessions_of(portal, user.id) == 0 and not visitor.cookie("access")


@pytest.mark.parametrize("protect", [password_reset, account_closed])
async def test_sign_ins_concurrent_with_the_protection_leave_no_session(
    portal: Portal, worker: Portal, protect: Callable[[Portal, User], Awaitable[None]]
) -> None:
    email = await new_account(portal)
    user = await owner_of(portal, email)
    app = await turn_on(await Visitor(portal.settings).sign_in(email))
    waiting = [await password_only(portal.settings, email) for _ in range(8)]

    async def finish(thief: Visitor, code: str) -> httpx.Response:
        return await thief.call("POST", STEP, {"code": code})

    steps = [finish(thief, code) for thief, code in zip(waiting, app.recovery_codes, strict=False)]
    answers = await asyncio.gather(*steps, protect(worker, user))
    assert {answer.status_code for answer in answers if answer is not None} <= {200, 401}
    assert await sessions_of(portal, user.id) == 0
    # No pending sign-in is left that could be completed later.
    assert {(await finish(thief, app.recovery_codes[9])).status_code for thief in waiting} == {401}


async def test_closing_an_account_ends_its_sessions_and_reopening_allows_sign_in(
    hana: Visitor, visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    user = await owner_of(portal, hana.email)
    unknown = await visitor.call("POST", LOGIN, {"email": f"{uuid4().hex}@example.jp", "password": PASSWORD})
    await account_closed(worker, user)
    assert (await hana.call("POST", "/api/auth/refresh")).status_code == 401
    refused = await visitor.call("POST", LOGIN, {"email": hana.email, "password": PASSWORD})
    assert (refused.status_code, refused.content) == (unknown.status_code, unknown.content)
    await worker.identity.account_closing.reopen(user.customer_number)
    await visitor.sign_in(hana.email)
    assert [entry.tag for entry in (await portal.identity.devices.history_of(user.id))[0]].count(
        "account:user:closed"
    ) == 1
