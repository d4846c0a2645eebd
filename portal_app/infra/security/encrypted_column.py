"""Encrypted columns: PostgreSQL stores ciphertext bound to its row, the model's attribute is plain text.

A column type does not know which row a value belongs to. So ORM events handle the row: before a write they mark the
texts with the name of their row, and after a read they decrypt the values.
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
    """Stores the key ring of the process, because columns are declared before settings are read."""

    ring: KeyRing | None = None


def use_key_ring(ring: KeyRing) -> None:
    """Set the key ring for the encrypted columns of this process."""
    _Ring.ring = ring


class RowBoundText(str):
    """A text with the name of the row it will be encrypted for."""

    row: str


class RowBoundBytes(bytes):
    """Bytes with the name of the row they will be encrypted for."""

    row: str


class Ciphertext(bytes):
    """An encrypted value as read from the database."""


class EncryptedText(TypeDecorator[Any]):
    """The type of an encrypted text column. It cannot be compared in SQL: use a blind index.

    `place` is table.column. Values can be written and read only through models, as a plain statement has no row.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> bytes | None:
        """Encrypt a value that is written. Raises TypeError for a value without a row."""
        if value is None or isinstance(value, Ciphertext):
            return value
        if not isinstance(value, RowBoundText | RowBoundBytes):
            raise TypeError(f"{self.place} can only be written through its model")
        plain = value.encode() if isinstance(value, str) else bytes(value)
        return _ring().seal_bytes(plain, self.place, value.row)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> Ciphertext | None:
        """Return the ciphertext; the load event of the model decrypts it."""
        return None if value is None else Ciphertext(value)

    class Comparator(TypeDecorator.Comparator[Any]):
        """Rejects comparisons in SQL, which would never match."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            """Allow IS NULL and IS NOT NULL only. Raises TypeError."""
            if op in (sa.sql.operators.is_, sa.sql.operators.is_not):
                return super().operate(op, *other, **kwargs)
            raise TypeError("an encrypted column cannot be compared: use its blind index")

    comparator_factory = Comparator

    def bound_to(self, value: Any, row: str) -> Any:
        """Return a value with the name of the row that it will be encrypted for."""
        marked = RowBoundText(value)
        marked.row = row
        return marked

    def opened(self, blob: bytes, row: str) -> Any:
        """Return the plain value of a ciphertext of this row. Raises cryptography's InvalidTag."""
        return _ring().open(blob, self.place, row)


class EncryptedBytes(EncryptedText):
    """The type of an encrypted column of bytes."""

    cache_ok = True

    def bound_to(self, value: Any, row: str) -> Any:
        """Return bytes with the name of the row that they will be encrypted for."""
        marked = RowBoundBytes(value)
        marked.row = row
        return marked

    def opened(self, blob: bytes, row: str) -> Any:
        """Return the plain bytes of a ciphertext of this row. Raises cryptography's InvalidTag."""
        return _ring().open_bytes(blob, self.place, row)


def _ring() -> KeyRing:
    if _Ring.ring is None:
        raise RuntimeError("no key ring is in use: build the portal first")
    return _Ring.ring


@cache
def _sealed_of(model: type[object]) -> tuple[tuple[str, EncryptedText], ...]:
    """Return (attribute, type) of a model's encrypted columns."""
    mapper: Mapper[Any] = sa.inspect(model)
    return tuple(
        (attribute.key, attribute.columns[0].type)
        for attribute in mapper.column_attrs
        if isinstance(attribute.columns[0].type, EncryptedText)
    )


def row_name(*primary_key: object) -> str:
    """Return the name of a row, to which its encrypted values are bound."""
    return "/".join(map(str, primary_key))


def sealed(model: type[SQLModel], attribute: str, value: str | bytes | memoryview, *primary_key: object) -> bytes:
    """Return the ciphertext of a value for one row, for a statement that is not made from the model."""
    kind = dict(_sealed_of(model))[attribute]
    plain = value.encode() if isinstance(value, str) else value
    return _ring().seal_bytes(plain, kind.place, row_name(*primary_key))


def _mark_with_row(mapper: Mapper[Any], connection: sa.Connection, row: Any) -> None:
    for name, kind in _sealed_of(row.__class__):
        value = row.__dict__.get(name)
        if value is not None and not isinstance(value, Ciphertext):
            attributes.set_attribute(row, name, kind.bound_to(value, row_name(*mapper.primary_key_from_instance(row))))


def _decrypt(row: Any, *_: object) -> None:
    for name, kind in _sealed_of(row.__class__):
        value = row.__dict__.get(name)
        if isinstance(value, Ciphertext):
            key = row_name(*attributes.instance_state(row).mapper.primary_key_from_instance(row))
            attributes.set_committed_value(row, name, kind.opened(bytes(value), key))


for _event in ("before_insert", "before_update"):
    event.listen(SQLModel, _event, _mark_with_row, propagate=True)
for _event in ("load", "refresh"):
    event.listen(SQLModel, _event, _decrypt, propagate=True)
