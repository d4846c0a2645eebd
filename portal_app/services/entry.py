"""Every way into an account with a password, joined."""

from dataclasses import dataclass

from portal_app.services.admission import Admission
from portal_app.services.identity import IdentityBase
from portal_app.services.lockout import Lockout
from portal_app.services.password_changes import PasswordChanges
from portal_app.services.sign_in import SignIn
from portal_app.services.sign_up import SignUps


@dataclass(frozen=True, slots=True)
class Entry:
    """The services behind the pages below /auth."""

    sign_in: SignIn
    sign_ups: SignUps
    lockout: Lockout
    password_changes: PasswordChanges


def join_entry(base: IdentityBase, admission: Admission) -> Entry:
    """Join them over what every service of identity stands on."""
    lockout = Lockout(base)
    sign_in = SignIn(base, admission, lockout)
    return Entry(sign_in, SignUps(base, admission, sign_in), lockout, PasswordChanges(base, lockout))
