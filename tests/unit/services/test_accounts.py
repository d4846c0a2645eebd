"""Accounts: a mailbox is proven before anything exists, and no answer tells who has an account."""

import asyncio
from uuid import uuid4

import pytest

from portal_app.domain.account import Origin
from portal_app.domain.errors import Conflict, InvalidInput, NotSignedIn
from portal_app.infra.database import Database
from portal_app.services.accounts import WRONG_SIGN_IN, Accounts
from portal_app.services.sessions import Sessions
from tests.unit.people import ADDRESS, PERSON
from tests.unit.services.conftest import Written

PASSWORD = "correct horse battery"
FORM = {**ADDRESS, **PERSON, "password": PASSWORD, "terms": "on"}


@pytest.fixture
def email() -> str:
    return f"{uuid4().hex}@example.jp"


async def code_of(written: Written, email: str) -> str:
    return next(content["code"] for occasion, content in await written.mails(email) if occasion == "sign_up_code")


async def proven(accounts: Accounts, written: Written, email: str, origin: Origin) -> str:
    token = await accounts.begin_sign_up(email, origin)
    await accounts.prove_mailbox(token, await code_of(written, email))
    return token


async def wrong_with(accounts: Accounts, token: str, code: str) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        await accounts.prove_mailbox(token, code)
    return caught.value.fields


async def test_a_mailed_code_proves_the_mailbox(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    token = await accounts.begin_sign_up(email, origin)
    assert not (await accounts.sign_up_progress(token)).is_proven
    code = await code_of(written, email)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    await accounts.prove_mailbox(token, f" {full_width[:3]} {full_width[3:]} ")
    assert (await accounts.sign_up_progress(token)).is_proven


async def test_five_wrong_codes_use_a_sign_up_up_even_all_at_once(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    token = await accounts.begin_sign_up(email, origin)
    code = await code_of(written, email)
    wrong = "000000" if code != "000000" else "111111"
    told = await asyncio.gather(*(wrong_with(accounts, token, wrong) for _ in range(12)))
    assert sum("Tries left" in fields["code"] for fields in told) == 5
    assert (await accounts.sign_up_progress(token)).attempts_left == 0
    assert "No tries" in (await wrong_with(accounts, token, code))["code"]
    assert not (await accounts.sign_up_progress(token)).is_proven


async def test_a_code_works_only_for_its_own_sign_up(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    await accounts.begin_sign_up(email, origin)
    theirs = await accounts.begin_sign_up(f"other-{email}", origin)
    mine, other = await code_of(written, email), await code_of(written, f"other-{email}")
    if mine != other:
        assert "Tries left: 4" in (await wrong_with(accounts, theirs, mine))["code"]
    for dead in ("", "x", "\ud800"):
        with pytest.raises(NotSignedIn):
            await accounts.prove_mailbox(dead, mine)


async def test_nothing_is_created_before_the_mailbox_is_proven(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    token = await accounts.begin_sign_up(email, origin)
    before = await written.number("SELECT count(*) FROM users")
    with pytest.raises(NotSignedIn):
        await accounts.complete_sign_up(token, FORM, origin)
    assert await written.number("SELECT count(*) FROM users") == before


async def test_wrong_entries_are_all_told_and_what_was_typed_is_kept_without_the_password(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(accounts, written, email, origin)
    form = {**FORM, "phone": "1", "postcode": "", "password": "short", "terms": ""}
    with pytest.raises(InvalidInput) as caught:
        await accounts.complete_sign_up(token, form, origin)
    assert set(caught.value.fields) == {"phone", "postcode", "password", "terms"}
    progress = await accounts.sign_up_progress(token)
    assert progress.errors == caught.value.fields
    assert progress.entries["town"] == "東麻布"
    assert "password" not in progress.entries
    assert form["password"] == "short"


async def test_an_account_is_created_once_with_its_set_up_enqueued(
    accounts: Accounts, sessions: Sessions, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(accounts, written, email, origin)
    tokens = await accounts.complete_sign_up(token, dict(FORM), origin)
    assert await sessions.check(tokens.session_id) == tokens.user_id
    query = "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = :id"
    assert await written.number(query, id=f"sign-up-{tokens.user_id}") == 1
    view = await accounts.view(tokens.user_id)
    assert (view.name, view.email, view.status, view.customer) == ("太郎 田中", email, "setting_up", None)
    again = await accounts.complete_sign_up(token, dict(FORM), origin)
    assert again.user_id == tokens.user_id
    assert again.session_id != tokens.session_id


async def test_a_double_click_makes_one_account(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(accounts, written, email, origin)
    tokens = await asyncio.gather(*(accounts.complete_sign_up(token, dict(FORM), origin) for _ in range(3)))
    assert len({each.user_id for each in tokens}) == 1


async def test_a_second_submit_with_another_password_does_not_open_the_account(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(accounts, written, email, origin)
    await accounts.complete_sign_up(token, FORM, origin)
    with pytest.raises(NotSignedIn):
        await accounts.complete_sign_up(token, {**FORM, "password": "another long password"}, origin)


async def test_two_sign_ups_of_one_address_at_once_make_one_account_and_one_plain_answer(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    first = await proven(accounts, written, email, origin)
    second = await accounts.begin_sign_up(email.upper(), origin)
    codes = [
        content["code"] for occasion, content in await written.mails(email.upper().replace("EXAMPLE.JP", "example.jp"))
    ]
    await accounts.prove_mailbox(second, codes[0])
    calls = (accounts.complete_sign_up(token, FORM, origin) for token in (first, second))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Tokens"]
    assert any(isinstance(outcome, Conflict) for outcome in outcomes)


async def test_a_known_address_gets_the_same_answer_the_same_rows_and_a_mail_without_a_code(
    accounts: Accounts, web: Database, written: Written, email: str, origin: Origin
) -> None:
    await accounts.complete_sign_up(await proven(accounts, written, email, origin), FORM, origin)
    counts = "SELECT (SELECT count(*) FROM sign_ups) * 1000000 + (SELECT count(*) FROM mails)"

    async def added(address: str) -> tuple[int, str]:
        before = await written.number(counts)
        token = await accounts.begin_sign_up(address, origin)
        return await written.number(counts) - before, token

    rows, token = await added(email.upper())
    fresh_rows, fresh = await added(f"new-{email}")
    assert rows == fresh_rows == 1_000_001
    assert len(token) == len(fresh)
    mails = await written.mails(email.upper().replace("EXAMPLE.JP", "example.jp"))
    assert mails == [("already_registered", {"code": ""})]
    for code in ("", "000000"):
        assert "Tries left" in (await wrong_with(accounts, token, code))["code"]


async def test_sign_in_says_the_same_for_every_reason(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    await accounts.complete_sign_up(await proven(accounts, written, email, origin), FORM, origin)
    tries = [(email, "wrong"), (f"no-{email}", PASSWORD), ("", ""), (email, "x" * 10_000), ("\ud800", "\ud800\x00")]
    for address, password in tries:
        with pytest.raises(NotSignedIn) as caught:
            await accounts.sign_in(address, password, origin)
        assert caught.value.user_message == WRONG_SIGN_IN
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in email)
    for address in (email, f" {email.upper()} ", full_width):
        assert await accounts.sign_in(address, PASSWORD, origin)


async def test_failed_sign_ins_are_in_the_audit(
    accounts: Accounts, written: Written, email: str, origin: Origin
) -> None:
    tokens = await accounts.complete_sign_up(await proven(accounts, written, email, origin), FORM, origin)
    with pytest.raises(NotSignedIn):
        await accounts.sign_in(email, "wrong", origin)
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'session:sign_in:failed'"
    assert await written.number(query, u=tokens.user_id) == 1
