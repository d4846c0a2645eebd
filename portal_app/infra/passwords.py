"""Passwords: bcrypt over a keyed pre-hash, in a small pool so that a storm of sign-ins does not slow others."""

import asyncio
import base64
import hashlib
import hmac
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from portal_app.domain.errors import InvalidInput

MIN_LENGTH, MAX_LENGTH = 12, 128
_COMMON = frozenset(
    """
    123456789012 1234567890123 password1234 passwordpassword qwertyuiop12 qwertyuiopasdf iloveyou1234 adminadmin12
    welcome12345 letmein12345 abcdefghijkl abcd12345678 111111111111 000000000000 aaaaaaaaaaaa password12345
    passw0rd1234 1q2w3e4r5t6y qwerty123456 123456qwerty 123123123123 121212121212 987654321098 asdfghjkl123
    """.split()
)
_CONTEXT = ("hikari", "portal")


class Passwords:
    """Hash and check. The pool has two threads: bcrypt releases the interpreter, the machine has other work."""

    def __init__(self, *, rounds: int, pepper: str) -> None:
        self._rounds = rounds
        self._pepper = pepper.encode()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="bcrypt")
        self._decoy = bcrypt.hashpw(self._prepare("decoy"), bcrypt.gensalt(rounds))

    async def hash(self, password: str) -> str:
        """Return a salted hash of a password."""
        prepared = self._prepare(password)
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(self._pool, bcrypt.hashpw, prepared, bcrypt.gensalt(self._rounds))).decode()

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Check a password; without a hash the same work is done against a decoy, and the answer is no."""
        against = hashed.encode() if hashed else self._decoy
        prepared = self._prepare(password[: MAX_LENGTH * 4])
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


def check_new_password(password: str, *, context: tuple[str, ...] = ()) -> str:
    """Return the password if it is good enough. Raises InvalidInput on the field `password`."""
    text = unicodedata.normalize("NFKC", password)
    folded = text.casefold()
    words = [word.casefold() for word in (*context, *_CONTEXT) if len(word) > 3]
    if len(text) < MIN_LENGTH:
        raise InvalidInput({"password": f"Use at least {MIN_LENGTH} characters; 15 or more are better."})
    if len(text) > MAX_LENGTH:
        raise InvalidInput({"password": f"Use at most {MAX_LENGTH} characters."})
    rest = folded
    for word in words:
        rest = rest.replace(word, "")
    if folded in _COMMON or len(set(folded)) < 4 or len(rest) * 2 < len(folded):
        raise InvalidInput({"password": "This password is easy to guess. Choose another one."})
    return password
