"""Seal every encrypted value with the current key, batch by batch, while the portal runs.

What is left to do is read from the rows themselves, so a run that was stopped goes on where it was, and a run with
nothing to do changes nothing.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from portal_app.infra.security.encrypted_column import Ciphertext, EncryptedText, row_name
from portal_app.infra.security.encryption import KeyRing, key_of
from portal_app.infra.security.secrets import key_ring_of
from portal_app.infra.settings import Settings
from portal_app.infra.start import read_settings_of_command
from portal_app.models.metadata import METADATA


@dataclass
class Rotation:
    """How many rows of each table were sealed again, and which could not be opened: altered or without their key."""

    sealed: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)


def rotate(settings: Settings, *, batch: int = 200) -> Rotation:
    """Seal every row again that has another key or format. Runs as the owner: no other role may write every table."""
    ring, done = key_ring_of(settings), Rotation()
    engine = _engine(settings)
    for table in _sealed_tables():
        after: tuple[object, ...] | None = ()
        while after is not None:
            after = _next_batch(_Work(engine, table, ring, batch, done), after)
    engine.dispose()
    return done


@dataclass(frozen=True)
class _Work:
    engine: sa.Engine
    table: sa.Table
    ring: KeyRing
    size: int
    done: Rotation


def keys_in_use(settings: Settings) -> dict[tuple[int, int], int]:
    """Count sealed values by (format, key id): a key that is not among them may leave the ring."""
    found = Counter[tuple[int, int]]()
    engine = _engine(settings)
    with engine.connect() as connection:
        for table in _sealed_tables():
            for column in _sealed_columns(table):
                head = sa.func.substring(_raw(column), 1, 3)
                query = sa.select(head, sa.func.count()).where(column.is_not(None)).group_by(head)
                for start, count in connection.execute(query):
                    found[key_of(bytes(start))] += count
    engine.dispose()
    return dict(found)


def _next_batch(work: "_Work", after: tuple[object, ...]) -> tuple[object, ...] | None:
    """Seal the next rows after a primary key again; return the last one's key, None where no row was left."""
    key, columns = list(work.table.primary_key), _sealed_columns(work.table)
    old = sa.or_(*(sa.func.substring(_raw(column), 1, 3) != work.ring.header for column in columns))
    query = sa.select(*key, *map(_raw, columns)).where(old).order_by(*key).limit(work.size).with_for_update()
    if after:
        query = query.where(sa.tuple_(*key) > sa.tuple_(*after))
    with work.engine.begin() as connection:
        rows = connection.execute(query).all()
        for row in rows:
            name = row_name(*row[: len(key)])
            try:
                sealed = {
                    column.name: _again(work.ring, column, value, name)
                    for column, value in zip(columns, row[len(key) :], strict=True)
                    if value is not None
                }
            except InvalidTag:
                work.done.unreadable.append(f"{work.table.name} {name}")
                continue
            ours = sa.and_(*(column == value for column, value in zip(key, row, strict=False)))
            connection.execute(sa.update(work.table).where(ours).values(sealed))
            work.done.sealed[work.table.name] += 1
    return tuple(rows[-1][: len(key)]) if rows else None


def _again(ring: KeyRing, column: sa.Column[Any], value: bytes, row: str) -> Ciphertext:
    encrypted: Any = column.type
    place = encrypted.place
    return Ciphertext(ring.seal_bytes(ring.open_bytes(bytes(value), place, row), place, row))


def _sealed_tables() -> Iterator[sa.Table]:
    yield from (table for table in METADATA.sorted_tables if _sealed_columns(table))


def _sealed_columns(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, EncryptedText)]


def _raw(column: sa.Column[Any]) -> sa.ColumnElement[bytes]:
    return sa.type_coerce(column, sa.LargeBinary)


def _engine(settings: Settings) -> sa.Engine:
    return sa.create_engine(
        settings.database_url_for("owner"),
        poolclass=sa.NullPool,
        hide_parameters=True,
        connect_args={"options": "-c lock_timeout=30000 -c timezone=UTC", "application_name": "portal-keys"},
    )


def main(settings: Settings, batch: int) -> int:
    """Rotate, say what was done and which keys are still in use; 1 where rows could not be opened."""
    done = rotate(settings, batch=batch)
    lines = [
        f"{name}: {count} rows sealed with key {key_ring_of(settings).current}" for name, count in done.sealed.items()
    ]
    in_use = sorted(keys_in_use(settings).items())
    lines += [f"in use: key {number}, format {form}: {count} values" for (form, number), count in in_use]
    lines += [f"cannot be opened: {row}" for row in done.unreadable]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if done.unreadable else 0


if __name__ == "__main__":
    raise SystemExit(main(read_settings_of_command(), int(sys.argv[1])))
