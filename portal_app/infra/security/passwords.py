"""Passwords: bcrypt over a keyed pre-hash, in a small pool so that a storm of sign-ins does not slow others."""

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

# Longer ones are not even hashed whole: no password can be.
_MOST_HASHED = 512


class Passwords:
    """Hash and check. The pool has two threads: bcrypt releases the interpreter, the machine has other work."""

    def __init__(self, *, rounds: int, pepper: str) -> None:
        self._rounds = rounds
        self._pepper = pepper.encode()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="bcrypt", initializer=_stand_back)
        self._decoy = bcrypt.hashpw(self._prepare("decoy"), bcrypt.gensalt(rounds))

    async def hash(self, password: str) -> str:
        """Return a salted hash of a password."""
        prepared = self._prepare(password)
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(self._pool, bcrypt.hashpw, prepared, bcrypt.gensalt(self._rounds))).decode()

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Check a password; without a hash the same work is done against a decoy, and the answer is no."""
        against = hashed.encode() if hashed else self._decoy
        prepared = self._prepare(password[:_MOST_HASHED])
        matches = await asyncio.get_running_loop().run_in_executor(self._pool, bcrypt.checkpw, prepared, against)
        return matches and hashed is not None

    def needs_rehash(self, hashed: str) -> bool:
        """Say whether a hash was made with another cost than the present one."""
        return int(hashed.split("$")[2]) != self._rounds

    def close(self) -> None:
        """Stop the pool."""
        self._pool.shutdown(wait=False)

    def _prepare(self, password: str) -> bytes:
        # bcrypt reads 72 bytes and stops at NUL: a keyed hash of fixed length keeps every character in play.
        text = unicodedata.normalize("NFKC", password)
        return base64.b64encode(hmac.new(self._pepper, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest())


async def slow_hash(text: str, *, salt: str) -> str:
    """Return a slow hash by which a text with a password in it is known again, and not guessed in bulk."""
    plain, salted = text.encode("utf-8", "surrogatepass"), salt.encode()
    # About 20 ms and 8 MiB: somebody signed in may ask for it as often as they may call.
    return (await asyncio.to_thread(hashlib.scrypt, plain, salt=salted, n=2**13, r=8, p=1)).hex()


def _stand_back() -> None:
    """Let this thread hash only while nobody waits for a page."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
