"""Encrypted columns: AES-256-GCM under a key ring, bound to table and column; look-ups by keyed hash."""

import base64
import hashlib
import hmac
import os
import struct
import unicodedata
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.types import LargeBinary, TypeDecorator

_HEADER = struct.Struct(">BH")
_FORMAT = 1


class KeyRing:
    """Seal with the newest key, open with any."""

    def __init__(self, keys: dict[int, bytes], index_key: bytes) -> None:
        self._keys = {number: AESGCM(key) for number, key in keys.items()}
        self.current = max(keys)
        self._index_key = index_key

    @classmethod
    def parse(cls, text: str, index_key: str) -> "KeyRing":
        """Read `id:base64,id:base64`. Raises ValueError where a key is not 32 bytes or an id is used twice."""
        keys: dict[int, bytes] = {}
        for entry in text.split(","):
            name, _, encoded = entry.strip().partition(":")
            number = int(name)
            if number in keys or not 0 <= number <= 0xFFFF:
                raise ValueError(f"encryption key id {number} is used twice or not within 0 to 65535")
            keys[number] = base64.b64decode(encoded, validate=True)
            if len(keys[number]) != 32:
                raise ValueError(f"encryption key {number} is not 32 bytes")
        return cls(keys, index_key.encode())

    def seal(self, value: str, place: str) -> bytes:
        """Encrypt a text for one place (table.column)."""
        nonce = os.urandom(12)
        header = _HEADER.pack(_FORMAT, self.current)
        return header + nonce + self._keys[self.current].encrypt(nonce, value.encode(), place.encode())

    def open(self, blob: bytes, place: str) -> str:
        """Decrypt what `seal` made for the same place. Raises cryptography's InvalidTag otherwise."""
        form, number = _HEADER.unpack(blob[:3].ljust(3))
        if form != _FORMAT or number not in self._keys:
            raise InvalidTag
        return self._keys[number].decrypt(blob[3:15], blob[15:], place.encode()).decode()

    def index(self, value: str, place: str) -> bytes:
        """Return the keyed hash under which a value can be found, whatever its case or width."""
        plain = unicodedata.normalize("NFKC", value).strip().casefold()
        text = f"{place}\0{plain}".encode("utf-8", "surrogatepass")
        return hmac.new(self._index_key, text, hashlib.sha256).digest()


class _Ring:
    """Hold the process's key ring; columns are declared before settings are read."""

    ring: KeyRing | None = None


def use_key_ring(ring: KeyRing) -> None:
    """Set the ring that encrypted columns of this process use."""
    _Ring.ring = ring


class EncryptedText(TypeDecorator[str]):
    """A text column that PostgreSQL only ever sees sealed. It cannot be compared: use a blind index."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        """Seal on the way in."""
        return None if value is None else _ring().seal(value, self.place)

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> str | None:
        """Open on the way out."""
        return None if value is None else _ring().open(bytes(value), self.place)

    class Comparator(TypeDecorator.Comparator[str]):
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
