"""How the API shows what secures an account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from portal_app.api.http.resource import From, Resource

# As WebAuthn defines them; a browser's own functions read them.
PasskeyOptions = dict[str, Any]


@dataclass
class Nothing(Resource):
    """The change was made; there is nothing to tell of it."""


@dataclass
class TwoStepView(Resource):
    """Whether two-step sign-in is on, since when, and how many recovery codes are left."""

    on: bool
    since: datetime | None
    recovery_codes_left: int


@dataclass
class TwoStepOff(Resource):
    """Two-step sign-in is off."""

    on: bool


@dataclass
class EnrolmentView(Resource):
    """The key for an authenticator app, to type or as an otpauth address."""

    key: str
    address: str


@dataclass
class RecoveryCodes(Resource):
    """The new recovery codes; null for a repeated call, as they are shown once."""

    recovery_codes: list[str] | None


@dataclass
class PasskeyShape(Resource):
    """One passkey."""

    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None


@dataclass
class PasskeyList(Resource):
    """All passkeys of the account."""

    items: list[PasskeyShape]


@dataclass
class SessionView(Resource):
    """A device that is signed in; `is_current` marks the one that asks."""

    id: Annotated[UUID, From("session_id")]
    browser: str
    network: str
    signed_in_at: datetime
    used_at: datetime
    is_current: bool


@dataclass
class SessionList(Resource):
    """All devices that are signed in, this one first."""

    items: list[SessionView]


@dataclass
class EventView(Resource):
    """One entry of the security history; `actor` is you, staff or system."""

    at: datetime
    actor: str
    event: Annotated[str, From("tag")]
    detail: dict[str, str]


@dataclass
class History(Resource):
    """Entries, newest first; `before` is the number that the next page begins at, null on the last one."""

    items: list[EventView]
    before: int | None
