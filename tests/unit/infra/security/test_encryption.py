"""Encrypted columns: keys rotate, values stay where they belong, nothing is compared by accident."""

import os

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from sqlalchemy.exc import StatementError

from portal_app.infra.database.database import Database
from portal_app.infra.security.encryption import KeyMissing, KeyRing, key_of
from portal_app.models.user import User
from tests.support.values.users import new_user

ROW = "6f1c"
OLD, NEW = "1:" + "QUFB" * 10 + "QUE=", "2:" + "QkJC" * 10 + "QkI="


def test_a_new_key_writes_and_the_old_one_still_opens() -> None:
    before = KeyRing.parse(OLD, "index")
    after = KeyRing.parse(f"{NEW},{OLD}", "index")
    sealed = before.seal("田中", "users.name", ROW)
    assert after.open(sealed, "users.name", ROW) == "田中"
    again = after.seal("田中", "users.name", ROW)
    assert KeyRing.parse(NEW, "index").open(again, "users.name", ROW) == "田中"
    with pytest.raises(InvalidTag):
        before.open(again, "users.name", ROW)


def test_one_value_is_never_sealed_the_same_twice_and_shows_nothing() -> None:
    ring = KeyRing.parse(OLD, "index")
    one, other = ring.seal("taro", "users.name", ROW), ring.seal("taro", "users.name", ROW)
    assert one != other
    assert b"taro" not in one


def test_a_value_cannot_move_to_another_column_or_row_or_be_altered() -> None:
    ring = KeyRing.parse(OLD, "index")
    sealed = ring.seal("taro", "users.name", ROW)
    with pytest.raises(InvalidTag):
        ring.open(sealed, "users.email", ROW)
    with pytest.raises(InvalidTag):
        ring.open(sealed, "users.name", "another")
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(InvalidTag):
            ring.open(bytes(altered), "users.name", ROW)
    with pytest.raises(InvalidTag):
        ring.open(b"", "users.name", ROW)


def test_bytes_are_sealed_as_texts_are() -> None:
    ring, content = KeyRing.parse(OLD, "index"), bytes(range(256))
    sealed = ring.seal_bytes(content, "upload_parts.content", "a/0/1")
    assert ring.open_bytes(sealed, "upload_parts.content", "a/0/1") == content
    with pytest.raises(InvalidTag):
        ring.open_bytes(sealed, "upload_parts.content", "a/0/2")


@pytest.mark.parametrize("text", ["", "1", "1:c2hvcnQ=", "x:" + OLD[2:], f"{OLD},{OLD}", "70000:" + OLD[2:], "1:!"])
def test_a_malformed_key_ring_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        KeyRing.parse(text, "index")


def test_a_key_ring_may_hold_a_key_before_it_encrypts_with_it() -> None:
    both = KeyRing.parse(f"{NEW},{OLD}", "index", current=1)
    sealed = both.seal("田中", "users.name", ROW)
    assert key_of(sealed) == (2, 1)
    assert KeyRing.parse(OLD, "index").open(sealed, "users.name", ROW) == "田中"
    with pytest.raises(ValueError, match="no key 3"):
        KeyRing.parse(OLD, "index", current=3)


def test_a_blind_index_finds_a_value_in_any_case_and_only_in_its_place() -> None:
    ring = KeyRing.parse(OLD, "index")
    assert ring.index(" Taro@Example.JP ", "users.email") == ring.index("taro@example.jp", "users.email")
    assert ring.index("a", "users.email") != ring.index("a", "users.name")
    assert ring.index("a", "users.email") != KeyRing.parse(OLD, "other").index("a", "users.email")


def test_comparing_an_encrypted_column_is_refused_but_asking_for_null_is_not() -> None:
    for compare in (
        lambda: User.email == "taro@example.jp",
        lambda: User.email != "taro@example.jp",
        lambda: sa.column("email", User.__table__.c.email.type).in_(["x"]),
        lambda: sa.column("email", User.__table__.c.email.type).like("x%"),
        lambda: sa.column("email", User.__table__.c.email.type).desc(),
    ):
        with pytest.raises(TypeError, match="blind index"):
            compare()
    assert User.__table__.c.profile.is_(None) is not None


async def test_postgresql_sees_only_sealed_bytes(worker: Database, user_id: object) -> None:
    async with worker.unit_of_work() as session:
        connection = await session.connection()
        query = sa.text("SELECT name FROM users WHERE id = :id")
        stored = bytes((await connection.execute(query, {"id": user_id})).scalar_one())
        user = await session.get(User, user_id)
    assert b"Taro" not in stored
    assert user is not None
    assert user.name == "Taro Tanaka"


async def test_sealed_bytes_of_one_row_do_not_open_in_another(worker: Database, ring: KeyRing) -> None:
    mine, other = await new_user(worker, ring), await new_user(worker, ring)
    swap = sa.text("UPDATE users SET name = (SELECT name FROM users WHERE id = :other) WHERE id = :mine")
    with pytest.raises(InvalidTag):
        async with worker.unit_of_work() as session:
            await (await session.connection()).execute(swap, {"mine": mine, "other": other})
            await session.get(User, mine)
    async with worker.unit_of_work() as session:
        assert (await session.get(User, other)).name == "Taro Tanaka"


async def test_a_changed_text_is_encrypted_again_and_an_unchanged_one_is_not(worker: Database, user_id: object) -> None:
    query = sa.text("SELECT email, name FROM users WHERE id = :id")

    async def stored() -> list[bytes]:
        async with worker.unit_of_work() as session:
            return [
                bytes(value) for value in (await (await session.connection()).execute(query, {"id": user_id})).one()
            ]

    before = await stored()
    async with worker.unit_of_work() as session:
        user = await session.get(User, user_id)
        user.name = "Jiro Tanaka"
    after = await stored()
    assert before[0] == after[0] and before[1] != after[1]
    async with worker.unit_of_work() as session:
        assert (await session.get(User, user_id)).name == "Jiro Tanaka"


async def test_a_bare_statement_cannot_write_an_encrypted_column(worker: Database, user_id: object) -> None:
    with pytest.raises(StatementError, match="through its model"):
        async with worker.unit_of_work() as session:
            await (await session.connection()).execute(sa.update(User).values(name="plain"))


def test_a_value_whose_key_is_missing_names_the_key() -> None:
    sealed = KeyRing({3: os.urandom(32)}, b"i").seal("secret", "users.email", "1")
    with pytest.raises(KeyMissing, match=r"users\.email is sealed with key 3, which PORTAL_KEYS does not hold"):
        KeyRing({1: os.urandom(32)}, b"i").open(sealed, "users.email", "1")
