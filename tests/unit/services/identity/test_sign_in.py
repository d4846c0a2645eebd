"""Sign-in: one answer for every failure."""

import pytest

from portal_app.domain.errors import NotSignedIn
from portal_app.domain.identity.account import Origin
from portal_app.services.identity.sign_in import WRONG_SIGN_IN, SignIn
from portal_app.services.registration.sign_up import SignUps
from tests.support.values.sign_up_steps import FORM, PASSWORD, proven
from tests.support.values.written import Written


async def test_sign_in_says_the_same_for_every_reason(
    sign_in: SignIn, sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    await sign_ups.complete(await proven(sign_ups, written, email, origin), FORM, origin)
    tries = [(email, "wrong"), (f"no-{email}", PASSWORD), ("", ""), (email, "x" * 10_000), ("\ud800", "\ud800\x00")]
    for address, password in tries:
        with pytest.raises(NotSignedIn) as caught:
            await sign_in.with_password(address, password, origin)
        assert caught.value.user_message == WRONG_SIGN_IN
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in email)
    for address in (email, f" {email.upper()} ", full_width):
        assert await sign_in.with_password(address, PASSWORD, origin)


async def test_failed_sign_ins_are_in_the_audit(
    sign_in: SignIn, sign_ups: SignUps, written: Written, email: str, origin: Origin
) -> None:
    tokens = await sign_ups.complete(await proven(sign_ups, written, email, origin), FORM, origin)
    with pytest.raises(NotSignedIn):
        await sign_in.with_password(email, "wrong", origin)
    query = "SELECT count(*) FROM audit WHERE user_id = :u AND tag = 'session:sign_in:failed'"
    assert await written.number(query, u=tokens.user_id) == 1
