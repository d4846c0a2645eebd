"""Access tokens: shared by all logins of a user, alive for two hours after the last use."""

import secrets
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.store import Store

LIFETIME = timedelta(hours=2)

_KIND = "salesforce:session"
_SLIDE_AFTER = timedelta(minutes=1)


class Sessions:
    """Give out and check access tokens, kept in the store so that they outlive the process."""

    def __init__(self, store: Store, clock: Clock, org_id: str) -> None:
        self._store = store
        self._clock = clock
        self._org_id = org_id

    def open(self, user_id: str) -> str:
        """Return the user's access token: the living one, or a new one."""
        for session in self._store.all(_KIND):
            if session["user_id"] == user_id and self.user_of(session["token"]):
                return str(session["token"])
        token = f"{self._org_id[:15]}!AQ{secrets.token_urlsafe(48)}"
        self._keep(token, user_id, self._clock.now())
        return token

    def user_of(self, token: str) -> str | None:
        """Return the user a living token stands for and prolong it, or None."""
        session = self._store.get(_KIND, token)
        if session is None:
            return None
        now, used_at = self._clock.now(), datetime.fromisoformat(session["used_at"])
        if now - used_at > LIFETIME:
            self._store.delete(_KIND, token)
            return None
        if abs(now - used_at) > _SLIDE_AFTER:
            self._keep(token, session["user_id"], now)
        return str(session["user_id"])

    def revoke(self, token: str) -> bool:
        """End one session; say whether it was there."""
        known = self._store.get(_KIND, token) is not None
        self._store.delete(_KIND, token)
        return known

    def expire_all(self) -> None:
        """End every session."""
        for session in self._store.all(_KIND):
            self._store.delete(_KIND, session["token"])

    def _keep(self, token: str, user_id: str, now: datetime) -> None:
        self._store.put(_KIND, token, {"token": token, "user_id": user_id, "used_at": now.isoformat()})
