"""Rotating keys: killed half way and run again, every value stays readable, and at the end the old key can go."""

import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from portal_app.infra.database.database import Database
from portal_app.infra.security.encrypted_column import use_key_ring
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.jobs.admin.rotate_keys import keys_in_use, rotate
from portal_app.models.user import EMAIL_PLACE, User
from tests.support.values.users import new_user
from tests.support.waiting import until

SECOND = "2:" + "QkJC" * 10 + "QkI="


def settings_with(settings: Settings, keys: str) -> Settings:
    return settings.model_copy(update={"portal_keys": SecretStr(keys)})


@asynccontextmanager
async def ring_in_use(settings: Settings, back: KeyRing) -> AsyncIterator[None]:
    use_key_ring(key_ring_of(settings))
    yield
    use_key_ring(back)


async def everybody_readable(worker: Database, people: list[UUID]) -> bool:
    async with worker.unit_of_work() as session:
        found = [await session.get(User, user_id) for user_id in people]
    return all(user is not None and user.name == "Taro Tanaka" for user in found)


@pytest.fixture
async def people(worker: Database, ring: KeyRing) -> list[UUID]:
    """Eight users as the first format left them: bound to no row."""
    made = [await new_user(worker, ring) for _ in range(8)]
    async with worker.unit_of_work() as session:
        connection = await session.connection()
        for user_id in made[:4]:
            sealed = old_format(ring, "Taro Tanaka", "users.name")
            update = sa.text("UPDATE users SET name = :sealed WHERE id = :id")
            await connection.execute(update, {"sealed": sealed, "id": user_id})
    return sorted(made)


def old_format(ring: KeyRing, value: str, place: str) -> bytes:
    """Seal a text as the first format did."""
    nonce = b"n" * 12
    return b"\x01\x00\x01" + nonce + ring._keys[1].encrypt(nonce, value.encode(), place.encode())


async def test_a_killed_rotation_goes_on_and_the_old_key_can_go(
    settings: Settings, worker: Database, ring: KeyRing, people: list[UUID]
) -> None:
    old = settings.portal_keys.get_secret_value()
    both = settings_with(settings, f"{old},{SECOND}")
    async with ring_in_use(both, ring):
        assert await everybody_readable(worker, people)
        with psycopg.connect(settings.database_url) as held:
            # A row locked by another transaction stops the job in the middle of its work.
            held.execute("SELECT 1 FROM users WHERE id = %s FOR UPDATE", (people[5],))
            job = multiprocessing.get_context("spawn").Process(target=rotate, args=(both,), kwargs={"batch": 1})
            job.start()

            async def stands_still() -> bool:
                assert job.is_alive()
                return held.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (0,)

            await until(stands_still, "the job waits for the row")
            job.kill()
            job.join()
        half = keys_in_use(both)
        assert half[2, 1] > 0 and half[2, 2] > 0
        assert await everybody_readable(worker, people)
        assert rotate(both, batch=3).sealed["users"] >= 3
        assert set(keys_in_use(both)) == {(2, 2)}
        assert not rotate(both).sealed
    async with ring_in_use(settings_with(settings, SECOND), ring):
        assert await everybody_readable(worker, people)
        async with worker.unit_of_work() as session:
            user = await session.get(User, people[0])
            index = key_ring_of(settings_with(settings, SECOND)).index(user.email, EMAIL_PLACE)
            assert (await User.by_email(session, index)).id == people[0]
    # The other tests of this run seal with the first key again.
    rotate(both.model_copy(update={"portal_key_current": 1}))


async def test_a_tampered_row_is_named_and_does_not_stop_the_rotation(
    settings: Settings, worker: Database, ring: KeyRing, people: list[UUID]
) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as owner:
        owner.execute("UPDATE users SET name = email WHERE id = %s", (people[1],))
        both = settings_with(settings, f"{settings.portal_keys.get_secret_value()},{SECOND}")
        done = rotate(both, batch=2)
        owner.execute("DELETE FROM users WHERE id = %s", (people[1],))
    assert done.unreadable == [f"users {people[1]}"]
    assert set(keys_in_use(both)) == {(2, 2)}
    rotate(both.model_copy(update={"portal_key_current": 1}))
