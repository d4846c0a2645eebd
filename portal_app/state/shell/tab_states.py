"""The state of tabs in Redis: kept for an hour with a session, for minutes without one."""

from dataclasses import dataclass
from typing import Any, Self

from reflex.istate.manager import StateManager
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex.state import BaseState
from reflex.utils.token_manager import RedisTokenManager, TokenManager

from portal_app.infra.redis.client import connect_for_pages
from portal_app.infra.settings import Settings
from portal_app.state.shell.session import PageSession

_EXPIRE = "for index = 1, #KEYS do redis.call('EXPIRE', KEYS[index], ARGV[1]) end"
# Beyond this many, unused locks of tabs are dropped.
_MOST_LOCKS = 5_000


@dataclass
class TabStates(StateManagerRedis):
    """Reflex's manager, which renews the expiry of a tab's whole state when any of it is written."""

    stranger_seconds: int = 600

    @classmethod
    def replacing(cls, manager: StateManager, settings: Settings) -> Self:
        """Return a manager that replaces Reflex's own. Raises TypeError for one without Redis."""
        if not isinstance(manager, StateManagerRedis):
            raise TypeError("page state is kept in Redis")
        return cls(
            redis=connect_for_pages(settings.redis_url, silence=settings.redis_silence_seconds),
            token_expiration=manager.token_expiration,
            lock_expiration=manager.lock_expiration,
            lock_warning_threshold=manager.lock_warning_threshold,
            stranger_seconds=settings.portal_stranger_seconds,
        )

    async def set_state(self, token: Any, state: Any, *, lock_id: bytes | None = None, **context: Any) -> None:
        """Write what was touched, and renew the expiry of all of the tab's state."""
        await super().set_state(token, state, lock_id=lock_id, **context)
        if isinstance(token, BaseStateToken) and isinstance(state, BaseState):
            root = state._get_root_state()
            seconds = self.token_expiration if _is_bound(root) else self.stranger_seconds
            keys = [token._state_key(type(each)) for each in _tree(root)]
            await self.redis.eval(_EXPIRE, len(keys), *keys, seconds)
        self._drop_unused_locks()

    def _drop_unused_locks(self) -> None:
        # Reflex keeps the lock of every tab: a caller who opens many tabs would fill the memory with them.
        if len(self._cached_states_locks) > _MOST_LOCKS:
            kept = self._cached_states_locks.items()
            self._cached_states_locks = {key: lock for key, lock in kept if lock.locked() or key in self._local_leases}


def watch_tokens(tokens: TokenManager, settings: Settings) -> None:
    """Let Reflex's record of which process holds which tab notice a connection to Redis that fell silent."""
    if isinstance(tokens, RedisTokenManager):
        tokens.redis = connect_for_pages(settings.redis_url, silence=settings.redis_silence_seconds)


def _is_bound(root: BaseState) -> bool:
    identity = root.substates.get(PageSession.get_name())
    return isinstance(identity, PageSession) and bool(identity._session_id)


def _tree(root: BaseState) -> list[BaseState]:
    found = [root]
    for each in found:
        found.extend(each.substates.values())
    return found
