"""Column kinds the tables share."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from portal_app.infra.security.sealed_column import EncryptedText


def moment(**options: Any) -> Any:
    """A point in time, aware, in UTC."""
    return Field(sa_type=sa.DateTime(timezone=True), **options)


def document(**options: Any) -> Any:
    """A JSON document."""
    return Field(sa_type=JSONB, **options)


def sealed(place: str, **options: Any) -> Any:
    """A text that is encrypted at rest; `place` is table.column."""
    return Field(sa_type=EncryptedText(place), **options)


def key(**options: Any) -> Any:
    """A random id of ours as primary key."""
    return Field(default_factory=uuid4, primary_key=True, **options)


__all__ = ["UUID", "document", "key", "moment", "sealed"]
