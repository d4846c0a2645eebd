"""Password hashes: bcrypt over a keyed pre-hash, made in a bounded queue so that many sign-ins do not slow pages."""

import base64
import hashlib
import hmac
import unicodedata
from functools import partial

import bcrypt

from portal_app.infra.security.hash_queue import HashQueue

# Longer input cannot be a valid password, so the rest is not hashed.
_MOST_HASHED = 512


class Passwords:
    """Hashes and verifies passwords. Every method that hashes raises Overloaded where its queue is full or too slow."""

    def __init__(self, *, rounds: int, pepper: str, queue: HashQueue | None = None) -> None:
        self._rounds = rounds
        self._pepper = pepper.encode()
        self._queue = queue or HashQueue()
        self._decoy = bcrypt.hashpw(self._prepare("decoy"), bcrypt.gensalt(rounds))

    async def hash(self, password: str) -> str:
        """Return a salted hash of a password."""
        return (await self._queue.run(bcrypt.hashpw, self._prepare(password), bcrypt.gensalt(self._rounds))).decode()

    async def verify(self, password: str, hashed: str | None, *, is_known: bool = True) -> bool:
        """Return whether a password matches. Without a hash a decoy is checked, so that the time does not differ.

        `is_known` is False for strangers: the queue keeps places and the first turn for everybody else.
        """
        against = hashed.encode() if hashed else self._decoy
        prepared = self._prepare(password[:_MOST_HASHED])
        matches = await self._queue.run(bcrypt.checkpw, prepared, against, is_known=is_known)
        return matches and hashed is not None

    async def slow_hash(self, text: str, *, salt: str) -> str:
        """Return a slow hash (scrypt) of a text that may contain a password: comparable, not guessable in bulk."""
        plain, salted = text.encode("utf-8", "surrogatepass"), salt.encode()
        # About 20 ms and 8 MiB: cheap enough for every call that a signed-in user may make.
        return (await self._queue.run(partial(hashlib.scrypt, plain, salt=salted, n=2**13, r=8, p=1))).hex()

    def require_room(self, *, is_known: bool) -> None:
        """Raise Overloaded if a password could not be checked now."""
        self._queue.require_room(is_known=is_known)

    def needs_rehash(self, hashed: str) -> bool:
        """Return whether a hash was made with a cost that differs from the setting."""
        return int(hashed.split("$")[2]) != self._rounds

    def close(self) -> None:
        """Stop the queue."""
        self._queue.close()

    def _prepare(self, password: str) -> bytes:
        # bcrypt uses only 72 bytes and stops at NUL, so it gets a keyed hash of the whole password instead.
        text = unicodedata.normalize("NFKC", password)
        return base64.b64encode(hmac.new(self._pepper, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())
