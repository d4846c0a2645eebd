"""An account as its owner meets it: where a request comes from, how far a sign-up is, what a session carries."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from portal_app.domain.identity.network import network_of
from portal_app.domain.profile.customer import Customer


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: network address and browser, for limits, audit and the device list.

    `language` is that of the page: mails to somebody who has no account yet are written in it. `device` is the
    random mark a browser keeps, by which it is known again.
    """

    address: str
    browser: str
    language: str = "en"
    device: str = field(default="", repr=False)

    @property
    def network(self) -> str:
        """What limits by address count: see `network_of`."""
        return network_of(self.address)


@dataclass(frozen=True, slots=True)
class SignUpProgress:
    """How far a sign-up is, what was typed, and what is wrong with it."""

    email: str
    is_proven: bool
    attempts_left: int
    entries: dict[str, str]
    errors: dict[str, str]
    is_move: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """What a customer's own pages show of the account. `customer` is None until it is set up everywhere."""

    user_id: UUID
    name: str
    email: str
    status: str
    customer: Customer | None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody brings to show who they are: one of these is filled in."""

    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    passkey: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ways:
    """By which proofs an account's owner can confirm that it is them."""

    password: bool = True
    code: bool = False
    passkey: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a browser gets: both go into HttpOnly cookies, nothing else ever sees them."""

    user_id: UUID
    session_id: UUID
    access: str = field(repr=False)
    refresh: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondStepAsked:
    """The password was right, and the second step is still to come: the token of this sign-in, for a cookie."""

    token: str = field(repr=False)


Purpose = Literal["sign_up", "move"]
