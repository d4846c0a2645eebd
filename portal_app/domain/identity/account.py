"""Accounts, sign-ups, proofs of identity and session tokens."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from portal_app.domain.identity.network import network_of
from portal_app.domain.profile.customer import Customer


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a request: network address and browser, used for limits, the audit and the device list.

    `language` is the page's language, used for mails to a recipient without an account. `device` is the random
    identifier in the browser's device cookie, `known` what proves that it has signed in before.
    """

    address: str
    browser: str
    language: str = "en"
    device: str = field(default="", repr=False)
    known: str = field(default="", repr=False)

    @property
    def network(self) -> str:
        """What limits by address count: see `network_of`."""
        return network_of(self.address)


@dataclass(frozen=True, slots=True)
class SignUpProgress:
    """The state of a sign-up, the entries typed so far and their errors."""

    email: str
    is_proven: bool
    attempts_left: int
    entries: dict[str, str]
    errors: dict[str, str]
    is_migration: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its pages show it. `customer` is None until the account is set up at all vendors."""

    user_id: UUID
    name: str
    email: str
    status: str
    customer: Customer | None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof of identity: exactly one of the fields is set."""

    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    passkey: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ProofMethods:
    """The kinds of proof an account accepts."""

    password: bool = True
    code: bool = False
    passkey: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a session, and after a sign-in what proves the device; HttpOnly cookies and nowhere else."""

    user_id: UUID
    session_id: UUID
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    known: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MfaRequired:
    """The password was right and a second factor is required; `token` identifies the pending sign-in (a cookie)."""

    token: str = field(repr=False)


Purpose = Literal["sign_up", "move"]
