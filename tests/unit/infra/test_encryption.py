"""Encrypted columns: keys rotate, values stay where they belong, nothing is compared by accident."""

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from portal_app.infra.database import Database
from portal_app.infra.encryption import KeyRing
from portal_app.models.user import User

OLD, NEW = "1:" + "QUFB" * 10 + "QUE=", "2:" + "QkJC" * 10 + "QkI="


def test_a_new_key_writes_and_the_old_one_still_opens() -> None:
    before = KeyRing.parse(OLD, "index")
    after = KeyRing.parse(f"{NEW},{OLD}", "index")
    sealed = before.seal("田中", "users.name")
    assert after.open(sealed, "users.name") == "田中"
    again = after.seal("田中", "users.name")
    assert KeyRing.parse(NEW, "index").open(again, "users.name") == "田中"
    with pytest.raises(InvalidTag):
        before.open(again, "users.name")


def test_one_value_is_never_sealed_the_same_twice_and_shows_nothing() -> None:
    ring = KeyRing.parse(OLD, "index")
    one, other = ring.seal("taro", "users.name"), ring.seal("taro", "users.name")
    assert one != other
    assert b"taro" not in one


def test_a_value_cannot_move_to_another_column_or_be_altered() -> None:
    ring = KeyRing.parse(OLD, "index")
    sealed = ring.seal("taro", "users.name")
    with pytest.raises(InvalidTag):
        ring.open(sealed, "users.email")
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(InvalidTag):
            ring.open(bytes(altered), "users.name")
    with pytest.raises(InvalidTag):
        ring.open(b"", "users.name")


@pytest.mark.parametrize("text", ["", "1", "1:c2hvcnQ=", "x:" + OLD[2:], f"{OLD},{OLD}", "70000:" + OLD[2:], "1:!"])
def test_a_malformed_key_ring_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        KeyRing.parse(text, "index")


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
