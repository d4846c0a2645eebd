"""Sign-up: a mailbox is proven before anything is created, and no answer reveals an account."""

import asyncio

import pytest

from portal_app.domain.errors import Conflict, InvalidInput, NotSignedIn
from portal_app.domain.identity.account import Origin
from portal_app.infra.database.database import Database
from portal_app.services.identity.accounts import Accounts
from portal_app.services.identity.sessions import Sessions
from portal_app.services.registration.sign_up import SignUps
from tests.support.values.sign_up_steps import FORM, code_of, proven
from tests.support.values.written import Written


async def wrong_with(sign_ups: SignUps, token: str, code: str) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        await sign_ups.verify_mailbox(token, code)
    return caught.value.fields


async def test_a_mailed_code_proves_the_mailbox(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    token = await sign_ups.begin(email, origin)
    assert not (await sign_ups.progress(token)).is_proven
    code = await code_of(written, email)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    await sign_ups.verify_mailbox(token, f" {full_width[:3]} {full_width[3:]} ")
    assert (await sign_ups.progress(token)).is_proven


async def test_five_wrong_codes_end_a_sign_up_even_concurrently(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    token = await sign_ups.begin(email, origin)
    code = await code_of(written, email)
    wrong = "000000" if code != "000000" else "111111"
    errors = await asyncio.gather(*(wrong_with(sign_ups, token, wrong) for _ in range(12)))
    assert sum("Tries left" in fields["code"] for fields in errors) == 5
    assert (await sign_ups.progress(token)).attempts_left == 0
    assert "No tries" in (await wrong_with(sign_ups, token, code))["code"]
    assert not (await sign_ups.progress(token)).is_proven


async def test_a_code_works_only_for_its_own_sign_up(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    await sign_ups.begin(email, origin)
    theirs = await sign_ups.begin(f"other-{email}", origin)
    mine, other = await code_of(written, email), await code_of(written, f"other-{email}")
    if mine != other:
        assert "Tries left: 4" in (await wrong_with(sign_ups, theirs, mine))["code"]
    for dead in ("", "x", "\ud800"):
        with pytest.raises(NotSignedIn):
            await sign_ups.verify_mailbox(dead, mine)


async def test_nothing_is_created_before_the_mailbox_is_proven(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    token = await sign_ups.begin(email, origin)
    before = await written.number("SELECT count(*) FROM users")
    with pytest.raises(NotSignedIn):
        await sign_ups.complete(token, FORM, origin)
    assert await written.number("SELECT count(*) FROM users") == before


async def test_all_wrong_entries_are_reported_and_the_input_is_kept_without_the_password(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(sign_ups, written, email, origin)
    form = {**FORM, "phone": "1", "postcode": "", "password": "short", "terms": ""}
    with pytest.raises(InvalidInput) as caught:
        await sign_ups.complete(token, form, origin)
    assert set(caught.value.fields) == {"phone", "postcode", "password", "terms"}
    progress = await sign_ups.progress(token)
    assert progress.errors == caught.value.fields
    assert progress.entries["town"] == "東麻布"
    assert "password" not in progress.entries
    assert form["password"] == "short"


async def test_an_account_is_created_once_with_its_set_up_enqueued(
    sign_ups: SignUps, accounts: Accounts, sessions: Sessions, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(sign_ups, written, email, origin)
    tokens = await sign_ups.complete(token, dict(FORM), origin)
    assert await sessions.require_live(tokens.session_id) == tokens.user_id
    query = "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = :id"
    assert await written.number(query, id=f"sign-up-{tokens.user_id}") == 1
    view = await accounts.view(tokens.user_id)
    assert (view.name, view.email, view.status, view.customer) == ("太郎 田中", email, "setting_up", None)
    again = await sign_ups.complete(token, dict(FORM), origin)
    assert again.user_id == tokens.user_id
    assert again.session_id != tokens.session_id


async def test_a_double_click_makes_one_account(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(sign_ups, written, email, origin)
    tokens = await asyncio.gather(*(sign_ups.complete(token, dict(FORM), origin) for _ in range(3)))
    assert len({each.user_id for each in tokens}) == 1


async def test_a_second_submit_with_another_password_does_not_open_the_account(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    token = await proven(sign_ups, written, email, origin)
    await sign_ups.complete(token, FORM, origin)
    with pytest.raises(NotSignedIn):
        await sign_ups.complete(token, {**FORM, "password": "another long password"}, origin)


async def test_two_sign_ups_of_one_address_at_once_make_one_account_and_one_plain_answer(
    sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    first = await proven(sign_ups, written, email, origin)
    second = await sign_ups.begin(email.upper(), origin)
    codes = [
        content["code"] for occasion, content in await written.mails(email.upper().replace("EXAMPLE.JP", "example.jp"))
    ]
    await sign_ups.verify_mailbox(second, codes[0])
    calls = (sign_ups.complete(token, FORM, origin) for token in (first, second))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Tokens"]
    assert any(isinstance(outcome, Conflict) for outcome in outcomes)


async def test_a_known_address_gets_the_same_answer_and_rows_and_a_mail_without_a_code(
    sign_ups: SignUps, web: Database, written: Written, email: str, origin: Origin
) -> None:
    await sign_ups.complete(await proven(sign_ups, written, email, origin), FORM, origin)
    counts = "SELECT (SELECT count(*) FROM sign_ups) * 1000000 + (SELECT count(*) FROM mails)"

    async def added(address: str) -> tuple[int, str]:
        before = await written.number(counts)
        token = await sign_ups.begin(address, origin)
        return await written.number(counts) - before, token

    rows, token = await added(email.upper())
    fresh_rows, fresh = await added(f"new-{email}")
    assert rows == fresh_rows == 1_000_001
    assert len(token) == len(fresh)
    mails = await written.mails(email.upper().replace("EXAMPLE.JP", "example.jp"))
    assert mails == [("already_registered", {"code": ""})]
    for code in ("", "000000"):
        assert "Tries left" in (await wrong_with(sign_ups, token, code))["code"]
