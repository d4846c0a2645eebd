"""Groups the parts that use the portal's secrets: password hashes, random tokens and the key ring."""

from dataclasses import dataclass

from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.passwords import Passwords
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Secrets:
    """Password hashes, random tokens and the key ring, set up from the settings."""

    passwords: Passwords
    tokens: RandomTokens
    ring: KeyRing


def key_ring_of(settings: Settings) -> KeyRing:
    """Return the key ring of the settings. Raises ValueError for malformed keys."""
    keys, index = settings.portal_keys.get_secret_value(), settings.portal_index_key.get_secret_value()
    return KeyRing.parse(keys, index, current=settings.portal_key_current)
