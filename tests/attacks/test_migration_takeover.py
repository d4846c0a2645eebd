"""Claiming another person's WHMCS account: by case, by Unicode, by plus alias, by half of the proof."""

from uuid import uuid4

import pytest

from portal_app.wiring.portal import Portal
from tests.attacks.test_enumeration import looks_of
from tests.support.clients.api_steps import old_password, prove, set_password
from tests.support.clients.visitor import Visitor, mailed
from tests.support.clients.whmcs_clients import OLD_PASSWORD, new_client, whmcs


@pytest.fixture
async def victim() -> str:
    """A customer of WHMCS whose password has leaked, but whose mailbox has not."""
    return (await new_client(f"mori{uuid4().hex}@example.jp"))[0]


async def test_an_address_in_another_case_has_to_prove_the_mailbox_whmcs_knows(
    visitor: Visitor, worker: Portal, victim: str
) -> None:
    # On some mail servers Ben@ and ben@ are two people.
    near = victim.replace("mori", "MORI")
    await prove(visitor, worker, near)
    answer = await old_password(visitor)
    assert answer.headers["location"].startswith("/auth/verify")
    assert (await mailed(worker, victim))["occasion"] == "sign_up_code"
    assert (await set_password(visitor)).headers["location"].startswith("/auth/forgot")
    assert (await old_password(visitor)).headers["location"].startswith("/auth/signup")
    # The owner, who gets that code, continues.
    await visitor.submit("/api/auth/signup/verify", code=(await mailed(worker, victim))["code"])
    assert (await old_password(visitor)).headers["location"] == "/auth/set-password"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda email: email.replace("@", "+x@"),
        lambda email: email.replace("@", "..@"),
        lambda email: email[1:],
        lambda email: email[:-3],
        lambda email: f"{email}.example",
    ],
)
async def test_an_alias_or_a_part_of_an_address_is_somebody_else(
    visitor: Visitor, worker: Portal, victim: str, spoil
) -> None:
    near = spoil(victim)
    answer = await visitor.submit("/api/auth/migrate", email=near)
    if answer.headers["location"] != "/auth/verify":
        return
    await visitor.submit("/api/auth/signup/verify", code=(await mailed(worker, near))["code"])
    answer = await visitor.call("POST", "/api/auth/migrate/password", {"password": OLD_PASSWORD})
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["password"])


@pytest.mark.parametrize("letter", ["а", "е", "ı", "ſ", "ß", "@", "\u200b", "\u202e", "é"])
async def test_a_look_alike_address_never_becomes_a_mailbox_of_its_own(
    visitor: Visitor, worker: Portal, letter: str
) -> None:
    plain = f"s{uuid4().hex}@example.jp"
    answer = await visitor.call("POST", "/api/auth/migrate", {"email": letter + plain[1:]})
    if answer.status_code == 422:
        return
    # Compatibility forms of a letter are normalised, and the mail goes to the normalised address.
    assert letter == "ſ" and (await mailed(worker, plain))["occasion"] == "sign_up_code"


async def test_full_width_letters_lead_to_the_plain_mailbox_only(visitor: Visitor, worker: Portal, victim: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in victim)
    await visitor.submit("/api/auth/migrate", email=wide)
    assert (await mailed(worker, victim))["occasion"] == "sign_up_code"
    with pytest.raises(RuntimeError):
        await mailed(worker, wide)


async def test_mailbox_alone_or_password_alone_migrates_nothing(visitor: Visitor, worker: Portal, victim: str) -> None:
    await prove(visitor, worker, victim)
    assert (await visitor.call("POST", "/api/auth/migrate/password", {"password": "wrong"})).status_code == 422
    assert (await set_password(visitor)).headers["location"].startswith("/auth/forgot")
    thief = Visitor(visitor.settings)
    await thief.submit("/api/auth/migrate", email=victim)
    assert (await thief.call("POST", "/api/auth/migrate/password", {"password": OLD_PASSWORD})).status_code == 401


async def test_a_proof_of_one_browser_does_not_count_in_another(visitor: Visitor, worker: Portal, victim: str) -> None:
    await prove(visitor, worker, victim)
    await old_password(visitor)
    thief = Visitor(visitor.settings)
    await prove(thief, worker, (await new_client())[0])
    assert (await set_password(thief)).headers["location"].startswith("/auth/forgot")


async def test_every_kind_of_address_gets_the_same_answer(visitor: Visitor, worker: Portal, victim: str) -> None:
    closed, client_id = await new_client()
    await whmcs("CloseClient", clientid=client_id)
    seen = []
    for email in (victim, closed, f"{uuid4().hex}@example.jp"):
        stranger = Visitor(visitor.settings)
        begun = await stranger.call("POST", "/api/auth/migrate", {"email": email})
        wrong = await stranger.call("POST", "/api/auth/signup/verify", {"code": "no"})
        tried = await stranger.call("POST", "/api/auth/migrate/password", {"password": OLD_PASSWORD})
        seen.append([(looks_of(answer), answer.content) for answer in (begun, wrong, tried)])
    assert seen[0] == seen[1] == seen[2]
