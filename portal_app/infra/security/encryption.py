"""AES-256-GCM with a key ring, each value bound to its table, column and row, and blind indexes (keyed hashes)."""

import base64
import hashlib
import hmac
import os
import struct
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Format and key id, followed by the nonce (12 bytes) and the ciphertext with its tag.
_HEADER = struct.Struct(">BH")
# The first format is not bound to a row. It is decrypted but no longer written; `portal keys rotate` replaces it.
_WITHOUT_ROW, _FORMAT = 1, 2


class KeyMissing(InvalidTag):
    """A value is sealed with a key that the ring does not hold; the text names its id."""


class KeyRing:
    """Encrypts (`seal`) with the current key, decrypts (`open`) with any key of the ring."""

    def __init__(self, keys: dict[int, bytes], index_key: bytes, *, current: int = 0) -> None:
        self._keys = {number: AESGCM(key) for number, key in keys.items()}
        self.current = current or max(keys)
        if self.current not in keys:
            raise ValueError(f"the key ring has no key {self.current}")
        self._index_key = index_key

    @classmethod
    def parse(cls, text: str, index_key: str, *, current: int = 0) -> "KeyRing":
        """Parse `id:base64,id:base64`; `current` 0 selects the key with the highest id.

        Raises ValueError if a key is not 32 bytes, an id is used twice, or the current key is missing.
        """
        keys: dict[int, bytes] = {}
        for entry in text.split(","):
            name, _, encoded = entry.strip().partition(":")
            if not name.isdecimal():
                # Python's own words would show the entry, which may be the key.
                raise ValueError("an encryption key is not id:base64")
            number = int(name)
            if number in keys or not 0 <= number <= 0xFFFF:
                raise ValueError(f"encryption key id {number} is used twice or not within 0 to 65535")
            keys[number] = _decoded(encoded)
            if len(keys[number]) != 32:
                raise ValueError(f"encryption key {number} is not 32 bytes")
        return cls(keys, index_key.encode(), current=current)

    def seal(self, value: str, place: str, row: str) -> bytes:
        """Encrypt a text; `place` is table.column, `row` the primary key of the row it is bound to."""
        return self.seal_bytes(value.encode(), place, row)

    def seal_bytes(self, value: bytes | memoryview, place: str, row: str) -> bytes:
        """Encrypt bytes as `seal` encrypts a text."""
        nonce = os.urandom(12)
        return self.header + nonce + self._keys[self.current].encrypt(nonce, value, _bound_to(place, row))

    def open(self, blob: bytes, place: str, row: str) -> str:
        """Decrypt a text sealed for this place and row.

        Raises cryptography's InvalidTag for any other, and KeyMissing for one whose key is not in the ring.
        """
        return self.open_bytes(blob, place, row).decode()

    def open_bytes(self, blob: bytes, place: str, row: str) -> bytes:
        """Decrypt bytes as `open` decrypts a text."""
        form, number = key_of(blob)
        if form not in (_WITHOUT_ROW, _FORMAT):
            raise InvalidTag(f"{place}: not a sealed value")
        if number not in self._keys:
            raise KeyMissing(f"{place} is sealed with key {number}, which PORTAL_KEYS does not hold")
        place_bytes = place.encode() if form == _WITHOUT_ROW else _bound_to(place, row)
        return self._keys[number].decrypt(blob[3:15], blob[15:], place_bytes)

    @property
    def header(self) -> bytes:
        """The first bytes of values sealed with the current key and format."""
        return _HEADER.pack(_FORMAT, self.current)

    def index(self, value: str, place: str) -> bytes:
        """Return the blind index of a value: a keyed hash that ignores case and width of letters."""
        plain = unicodedata.normalize("NFKC", value).strip().casefold()
        text = f"{place}\0{plain}".encode("utf-8", "surrogatepass")
        return hmac.new(self._index_key, text, hashlib.sha256).digest()


def key_of(blob: bytes) -> tuple[int, int]:
    """Return format and key id of a sealed value."""
    form, number = _HEADER.unpack(blob[:3].ljust(3, b"\0"))
    return form, number


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""


def _bound_to(place: str, row: str) -> bytes:
    return f"{place}\0{row}".encode()
