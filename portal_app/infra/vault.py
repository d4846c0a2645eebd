"""The secrets' workshop: what hashes passwords, makes codes and finds e-mails."""

from dataclasses import dataclass

from portal_app.infra.encryption import KeyRing
from portal_app.infra.passwords import Passwords
from portal_app.infra.tokens import RandomTokens


@dataclass(frozen=True, slots=True)
class Vault:
    """Passwords, random tokens and the key ring, as the settings key them."""

    passwords: Passwords
    tokens: RandomTokens
    ring: KeyRing
