"""Known devices: a cookie that proves that this browser has signed in to an account before.

It gives no access. A browser that holds it has tries of its own, so that strangers cannot use up those of the owner.
"""

import secrets
from dataclasses import dataclass

from portal_app.infra.clock import timestamp
from portal_app.infra.security.tokens import RandomTokens

KNOWN_SECONDS = 180 * 86400
# A household shares a browser; more accounts than these are those of a shop's computer, or an attacker's.
_MOST = 4
_BETWEEN_MARKS, _BETWEEN_PARTS = "~", "."
_PURPOSE, _TRIES = "known-device", "known-device-tries"


@dataclass(frozen=True, slots=True)
class _Mark:
    """One account's mark: when it expires (unix seconds), what tells devices apart, and the proof of both."""

    expires_at: str
    device: str
    proof: str

    def __str__(self) -> str:
        return _BETWEEN_PARTS.join((self.expires_at, self.device, self.proof))


class KnownDevices:
    """Makes and checks the marks of a browser. A mark is bound to the look-up hash of one account's e-mail address."""

    def __init__(self, tokens: RandomTokens) -> None:
        self._tokens = tokens

    def tries_key(self, cookie: str, email_index: bytes) -> bytes | None:
        """Return what the tries of this browser at this account are counted under, None for an unknown browser."""
        for mark in _marks(cookie):
            if self._is_valid(mark, email_index):
                return self._tokens.hash(f"{mark.device}.{email_index.hex()}", _TRIES)
        return None

    def remember(self, cookie: str, email_index: bytes) -> str:
        """Return the cookie with a mark for this account, which keeps the tries of the former one; others stay."""
        marks = _marks(cookie)
        former = [mark for mark in marks if self._is_valid(mark, email_index)]
        device = former[0].device if former else secrets.token_urlsafe(12)
        expires_at = str(int(timestamp()) + KNOWN_SECONDS)
        mark = _Mark(expires_at, device, self._proof(expires_at, device, email_index))
        kept = [mark, *(other for other in marks if other not in former)]
        return _BETWEEN_MARKS.join(map(str, kept[:_MOST]))

    def _is_valid(self, mark: _Mark, email_index: bytes) -> bool:
        proof = self._proof(mark.expires_at, mark.device, email_index)
        # Read only once it is proven to be ours.
        return secrets.compare_digest(mark.proof.encode(), proof.encode()) and int(mark.expires_at) > timestamp()

    def _proof(self, expires_at: str, device: str, email_index: bytes) -> str:
        return self._tokens.hash(f"{expires_at}.{device}.{email_index.hex()}", _PURPOSE).hex()


def _marks(cookie: str) -> list[_Mark]:
    found = (part.split(_BETWEEN_PARTS) for part in cookie.split(_BETWEEN_MARKS)[:_MOST])
    return [_Mark(*parts) for parts in found if len(parts) == 3]
