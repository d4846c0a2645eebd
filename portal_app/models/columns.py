"""Column types that several tables use."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from portal_app.infra.security.encrypted_column import EncryptedBytes, EncryptedText


def time_column(**options: Any) -> Any:
    """Return a timestamp column; its values are aware and in UTC."""
    return Field(sa_type=sa.DateTime(timezone=True), **options)


def json_column(**options: Any) -> Any:
    """Return a JSONB column."""
    return Field(sa_type=JSONB, **options)


def encrypted_column(place: str, **options: Any) -> Any:
    """Return a text column that is encrypted at rest; `place` is table.column, to which the ciphertext is bound."""
    return Field(sa_type=EncryptedText(place), **options)


def encrypted_bytes_column(place: str, **options: Any) -> Any:
    """Return a column of bytes that is encrypted at rest, as `encrypted_column` is."""
    return Field(sa_type=EncryptedBytes(place), **options)


def id_column(**options: Any) -> Any:
    """Return a primary key that defaults to a random UUID."""
    return Field(default_factory=uuid4, primary_key=True, **options)


__all__ = ["UUID", "encrypted_bytes_column", "encrypted_column", "id_column", "json_column", "time_column"]
