"""The secrets' workshop: what hashes passwords, makes codes and finds e-mails."""

from dataclasses import dataclass

from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.passwords import Passwords
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords, random tokens and the key ring, as the settings key them."""

    passwords: Passwords
    tokens: RandomTokens
    ring: KeyRing


def key_ring_of(settings: Settings) -> KeyRing:
    """Return the key ring of the settings. Raises ValueError."""
    keys, index = settings.portal_keys.get_secret_value(), settings.portal_index_key.get_secret_value()
    return KeyRing.parse(keys, index, current=settings.portal_key_current)
