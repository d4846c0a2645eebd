"""Encrypted columns: PostgreSQL sees only sealed bytes, bound to the row they stand in; a model's attribute is plain.

A column type never learns which row a value belongs to. So the model tells it: before a row is written its texts are
marked with their row, and after one is read its closed values are opened.
"""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapper, attributes
from sqlalchemy.types import LargeBinary, TypeDecorator
from sqlmodel import SQLModel

from portal_app.infra.security.encryption import KeyRing


class _Ring:
    """Hold the process's key ring; columns are declared before settings are read."""

    ring: KeyRing | None = None


def use_key_ring(ring: KeyRing) -> None:
    """Set the ring that encrypted columns of this process use."""
    _Ring.ring = ring


class RowBoundText(str):
    """A text that knows the row it will be sealed for."""

    row: str


class Ciphertext(bytes):
    """A sealed value as it was read, before its row opens it."""


class EncryptedText(TypeDecorator[Any]):
    """A text column that is encrypted at rest. It cannot be compared: use a blind index.

    `place` is table.column. Only models may write and read it: a bare statement knows no row.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> bytes | None:
        """Seal on the way in."""
        if value is None or isinstance(value, Ciphertext):
            return value
        if not isinstance(value, RowBoundText):
            raise TypeError(f"{self.place} can only be written through its model")
        return _ring().seal(value, self.place, value.row)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> Ciphertext | None:
        """Keep it closed on the way out, until the model opens it."""
        return None if value is None else Ciphertext(value)

    class Comparator(TypeDecorator.Comparator[Any]):
        """Refuse comparisons, which would never match."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            """Let only IS NULL through."""
            if op in (sa.sql.operators.is_, sa.sql.operators.is_not):
                return super().operate(op, *other, **kwargs)
            raise TypeError("an encrypted column cannot be compared: use its blind index")

    comparator_factory = Comparator


def _ring() -> KeyRing:
    if _Ring.ring is None:
        raise RuntimeError("no key ring is in use: build the portal first")
    return _Ring.ring


@cache
def _sealed_of(model: type[object]) -> tuple[tuple[str, str], ...]:
    """Return (attribute, place) of a model's encrypted columns."""
    mapper: Mapper[Any] = sa.inspect(model)
    return tuple(
        (attribute.key, attribute.columns[0].type.place)
        for attribute in mapper.column_attrs
        if isinstance(attribute.columns[0].type, EncryptedText)
    )


def row_name(*primary_key: object) -> str:
    """Return the name of a row that its sealed values are bound to."""
    return "/".join(map(str, primary_key))


def _mark(mapper: Mapper[Any], connection: sa.Connection, row: Any) -> None:
    for name, _ in _sealed_of(row.__class__):
        value = row.__dict__.get(name)
        if value is not None and not isinstance(value, Ciphertext):
            marked = RowBoundText(value)
            marked.row = row_name(*mapper.primary_key_from_instance(row))
            attributes.set_attribute(row, name, marked)


def _open(row: Any, *_: object) -> None:
    for name, place in _sealed_of(row.__class__):
        value = row.__dict__.get(name)
        if isinstance(value, Ciphertext):
            key = row_name(*attributes.instance_state(row).mapper.primary_key_from_instance(row))
            attributes.set_committed_value(row, name, _ring().open(bytes(value), place, key))


for _moment in ("before_insert", "before_update"):
    event.listen(SQLModel, _moment, _mark, propagate=True)
for _moment in ("load", "refresh"):
    event.listen(SQLModel, _moment, _open, propagate=True)
