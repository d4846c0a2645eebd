"""Passwords: every character counts, easy ones are refused, an unknown account costs the same work."""

from collections.abc import Iterator

import bcrypt
import pytest

from portal_app.infra.security.passwords import Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(rounds=4, pepper="pepper")
    yield made
    made.close()


async def test_a_password_matches_itself_only(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse battery")
    assert await passwords.verify("correct horse battery", hashed)
    assert not await passwords.verify("correct horse batterY", hashed)
    assert await passwords.hash("correct horse battery") != hashed


@pytest.mark.parametrize(("password", "near"), [("x" * 80 + "a", "x" * 80 + "b"), ("nul\x00then a", "nul\x00then b")])
async def test_every_character_counts_beyond_72_bytes_and_after_nul(
    passwords: Passwords, password: str, near: str
) -> None:
    assert not await passwords.verify(near, await passwords.hash(password))


async def test_one_password_typed_in_two_unicode_forms_is_the_same(passwords: Passwords) -> None:
    assert await passwords.verify("パスワードがＡ", await passwords.hash("ﾊﾟｽﾜｰﾄﾞか\u3099A"))


async def test_a_stolen_hash_is_useless_without_the_pepper(passwords: Passwords) -> None:
    other = Passwords(rounds=4, pepper="another")
    assert not await other.verify("correct horse battery", await passwords.hash("correct horse battery"))
    other.close()


async def test_an_unpaired_surrogate_is_a_wrong_password(passwords: Passwords) -> None:
    assert not await passwords.verify("\ud800", await passwords.hash("correct horse battery"))


async def test_an_unknown_account_costs_the_same_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(rounds=5, pepper="pepper")
    hashed = await passwords.hash("correct horse battery")
    checked: list[bytes] = []

    def check(password: bytes, against: bytes) -> bool:
        checked.append(against)
        return checkpw(password, against)

    checkpw = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", check)
    assert not await passwords.verify("wrong", hashed)
    assert not await passwords.verify("decoy", None)
    passwords.close()
    # One check each, at the same cost.
    assert [against[:7] for against in checked] == [b"$2b$05$"] * 2


def test_a_hash_of_another_cost_needs_rehashing() -> None:
    old, new = Passwords(rounds=4, pepper="p"), Passwords(rounds=5, pepper="p")
    assert new.needs_rehash("$2b$04$" + "x" * 53)
    assert not old.needs_rehash("$2b$04$" + "x" * 53)
    old.close()
    new.close()
