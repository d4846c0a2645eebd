"""Password hashes: bcrypt over a keyed pre-hash, in a small thread pool so that many sign-ins do not slow pages."""

import asyncio
import base64
import hashlib
import hmac
import os
import sys
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import bcrypt

# Longer input cannot be a valid password, so the rest is not hashed.
_MOST_HASHED = 512


class Passwords:
    """Hashes and verifies passwords in a pool of two threads; bcrypt releases the GIL."""

    def __init__(self, *, rounds: int, pepper: str) -> None:
        self._rounds = rounds
        self._pepper = pepper.encode()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="bcrypt", initializer=_lower_priority)
        self._decoy = bcrypt.hashpw(self._prepare("decoy"), bcrypt.gensalt(rounds))

    async def hash(self, password: str) -> str:
        """Return a salted hash of a password."""
        prepared = self._prepare(password)
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(self._pool, bcrypt.hashpw, prepared, bcrypt.gensalt(self._rounds))).decode()

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether a password matches. Without a hash a decoy is checked, so that the time does not differ."""
        against = hashed.encode() if hashed else self._decoy
        prepared = self._prepare(password[:_MOST_HASHED])
        matches = await asyncio.get_running_loop().run_in_executor(self._pool, bcrypt.checkpw, prepared, against)
        return matches and hashed is not None

    def needs_rehash(self, hashed: str) -> bool:
        """Return whether a hash was made with a cost that differs from the setting."""
        return int(hashed.split("$")[2]) != self._rounds

    def close(self) -> None:
        """Stop the pool."""
        self._pool.shutdown(wait=False)

    def _prepare(self, password: str) -> bytes:
        # bcrypt uses only 72 bytes and stops at NUL, so it gets a keyed hash of the whole password instead.
        text = unicodedata.normalize("NFKC", password)
        return base64.b64encode(hmac.new(self._pepper, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())


async def slow_hash(text: str, *, salt: str) -> str:
    """Return a slow hash (scrypt) of a text that may contain a password: comparable, but not guessable in bulk."""
    plain, salted = text.encode("utf-8", "surrogatepass"), salt.encode()
    # About 20 ms and 8 MiB: cheap enough for every call that a signed-in user may make.
    return (await asyncio.to_thread(hashlib.scrypt, plain, salt=salted, n=2**13, r=8, p=1)).hex()


def _lower_priority() -> None:
    """Lower the priority of this thread, so that hashing does not delay page requests."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
