"""Reset links: used twice, together, late, elsewhere; and poisoned by a forged host."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from portal_app.infra.email.templates import EmailTemplates
from portal_app.wiring.portal import Portal
from tests.support.clients.authenticator import password_only, turn_on
from tests.support.clients.visitor import Visitor, instead_of, mailed, new_account, new_customer
from tests.support.running.world import world

NEW_PASSWORD = "seven green apples"


async def link_for(visitor: Visitor, worker: Portal, email: str, **headers: str) -> str:
    """Ask for a link and return its token."""
    await visitor.call("POST", "/api/auth/forgot", {"email": email}, **headers)
    return (await mailed(worker, email))["token"]


async def use(visitor: Visitor, token: str, password: str = NEW_PASSWORD) -> int:
    """Return what using a link gets."""
    answer = await visitor.call("POST", "/api/auth/set-password", {"token": token, "password": password})
    return answer.status_code


async def test_a_link_works_once(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    token = await link_for(visitor, worker, await new_account(portal))
    assert [await use(visitor, token), await use(visitor, token, "nine red oranges")] == [200, 401]


async def test_concurrent_uses_of_a_link_count_once(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    token = await link_for(visitor, worker, await new_account(portal))
    results = await asyncio.gather(
        *(use(visitor, token, f"{word} green apples") for word in ("six", "ten", "two", "any"))
    )
    assert sorted(results) == [200, 401, 401, 401]


async def test_using_one_link_voids_the_others(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    email = await new_account(portal)
    first = await link_for(visitor, worker, email)
    second = await link_for(visitor, worker, email)
    assert [await use(visitor, second), await use(visitor, first)] == [200, 401]


@pytest.mark.parametrize("purpose", ["reset", "unlock", "email change", "sign-up", "migration"])
async def test_only_the_newest_of_each_kind_of_link_or_code_works(portal: Portal, worker: Portal, purpose: str) -> None:
    owner, older, newer = (Visitor(portal.settings) for _ in range(3))
    await owner.sign_in(await new_customer(worker))
    new_email = f"{uuid4().hex}@example.jp"
    async with instead_of(portal, world().settings_with(portal_lock_tries=2)):
        await ask_for(purpose, owner, older, new_email=new_email)
        given = await secret_of(worker, purpose, owner.email, new_email)
        await ask_for(purpose, owner, newer, new_email=new_email)
        second = await secret_of(worker, purpose, owner.email, new_email)
        assert given == second or not await works(purpose, owner if purpose == "email change" else older, given)
        assert await works(purpose, owner if purpose == "email change" else newer, second)
    for each in (owner, older, newer):
        await each.http.aclose()


async def ask_for(purpose: str, owner: Visitor, visitor: Visitor, *, new_email: str) -> None:
    """Have one more link or code mailed."""
    if purpose == "reset":
        await visitor.call("POST", "/api/auth/forgot", {"email": owner.email})
    elif purpose == "unlock":
        forget_locks()
        for _ in range(2):
            await visitor.call("POST", "/api/auth/login", {"email": owner.email, "password": "wrong"})
    elif purpose == "email change":
        await owner.call("POST", "/api/me/email", {"email": new_email})
    else:
        await visitor.submit("/api/auth/migrate" if purpose == "migration" else "/api/auth/signup", email=new_email)


async def secret_of(worker: Portal, purpose: str, email: str, new_email: str) -> str:
    """Return the token or code of the last mail."""
    if purpose in ("reset", "unlock"):
        return (await mailed(worker, email, {"reset": "password_reset", "unlock": "sign_in_locked"}[purpose]))["token"]
    return (await mailed(worker, new_email))["code"]


async def works(purpose: str, visitor: Visitor, given: str) -> bool:
    """Use what was mailed; return whether it was right, whatever comes afterwards: no vendor knows these customers."""
    if purpose == "reset":
        return await use(visitor, given) == 200
    path = {"unlock": "/api/auth/unlock", "email change": "/api/me/email/verify"}.get(
        purpose, "/api/auth/signup/verify"
    )
    answer = await visitor.call("POST", path, {"token" if purpose == "unlock" else "code": given})
    return answer.status_code not in (401, 422)


def forget_locks() -> None:
    """Let every lock of sign-in run out."""
    with psycopg.connect(world().postgres.url(), autocommit=True) as database:
        database.execute("UPDATE sign_in_tries SET locked_until = NULL")


async def test_an_expired_link_is_refused(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_reset_seconds=-1)):
        token = await link_for(visitor, worker, await new_account(portal))
        assert await use(visitor, token) == 401


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "' OR 1=1 --", "\x00"])
async def test_a_made_up_link_sets_nothing(visitor: Visitor, token: str) -> None:
    assert await use(visitor, token) == 401


async def test_a_token_of_another_purpose_sets_nothing(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_lock_tries=2)) as strict:
        email = await new_account(portal)
        other = Visitor(strict.settings)
        for _ in range(2):
            await other.call("POST", "/api/auth/login", {"email": email, "password": "wrong"})
        token = (await mailed(worker, email))["token"]
        assert await use(other, token) == 401
        answer = await other.call("POST", "/api/auth/unlock", {"token": await link_for(other, worker, email)})
        assert answer.status_code == 401


async def test_the_token_is_stored_nowhere_in_the_clear(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    token = await link_for(visitor, worker, await new_account(portal))
    async with worker.database.identity() as session:
        rows = (await (await session.connection()).execute(sa.text("SELECT t::text FROM entry_tokens t"))).all()
    assert token.encode().hex() not in str(rows) and token not in str(rows)


async def test_a_forged_host_does_not_reach_the_mail(visitor: Visitor, portal: Portal, worker: Portal) -> None:
    email = await new_account(portal)
    evil = {"Host": "evil.example", "X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "http"}
    evil |= {"Forwarded": "host=evil.example", "X_Original_URL": "https://evil.example/"}
    token = await link_for(visitor, worker, email, **evil)
    templates = EmailTemplates.of(portal.settings)
    content = {name: text for name, text in (await mailed(worker, email)).items() if name != "occasion"}
    written = templates.write("password_reset", "en", content)
    assert "evil" not in written.text + written.html + str(content)
    assert f"{portal.settings.portal_url}/auth/set-password#{token}:{email.replace('@', '%40')}" in written.text


async def test_the_mail_goes_to_the_address_of_the_account_not_to_the_one_typed(
    visitor: Visitor, portal: Portal, worker: Portal
) -> None:
    email = await new_account(portal)
    typed = email.upper().replace("EXAMPLE.JP", "example.jp")
    await visitor.call("POST", "/api/auth/forgot", {"email": typed})
    assert (await mailed(worker, email))["occasion"] == "password_reset"
    with pytest.raises(RuntimeError):
        await mailed(worker, typed)


async def test_a_reset_password_does_not_bypass_the_second_factor(
    hana: Visitor, portal: Portal, worker: Portal
) -> None:
    await turn_on(hana)
    pending = await password_only(portal.settings, hana.email)
    token = await link_for(hana, worker, hana.email)
    stranger = Visitor(portal.settings)
    assert await use(stranger, token) == 200
    assert not stranger.cookie("access")
    answer = await stranger.call("POST", "/api/auth/login", {"email": hana.email, "password": NEW_PASSWORD})
    assert "second" in answer.json()["next"] and not stranger.cookie("access")
    assert (await stranger.get("/api/me")).status_code == 401
    # A sign-in that began with the old password ends with it.
    answer = await pending.call("POST", "/api/auth/second-step", {"code": "123456"})
    assert answer.status_code == 401
