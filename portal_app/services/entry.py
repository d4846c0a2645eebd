"""Every way into an account with a password, and closing it, joined."""

from dataclasses import dataclass

from portal_app.domain.known_customers import BillingLogins, CrmDirectory
from portal_app.domain.ports import BillingGateway
from portal_app.services.admission import Admission
from portal_app.services.closing import Closing
from portal_app.services.identity import IdentityBase
from portal_app.services.lockout import Lockout
from portal_app.services.moves import Moves
from portal_app.services.password_changes import PasswordChanges
from portal_app.services.sign_in import SignIn
from portal_app.services.sign_up import SignUps
from portal_app.services.two_step import TwoStep


@dataclass(frozen=True, slots=True)
class Entry:
    """The services behind the pages below /auth."""

    sign_in: SignIn
    sign_ups: SignUps
    lockout: Lockout
    password_changes: PasswordChanges
    moves: Moves
    closing: Closing


def join_entry(
    base: IdentityBase,
    admission: Admission,
    *,
    billing: BillingGateway,
    logins: BillingLogins,
    directory: CrmDirectory,
) -> Entry:
    """Join them over what every service of identity stands on, and what knows existing customers."""
    lockout = Lockout(base)
    sign_in = SignIn(base, admission, lockout)
    sign_ups = SignUps(base, admission, sign_in)
    moves = Moves(base, sign_ups, admission, billing=billing, logins=logins, directory=directory)
    return Entry(sign_in, sign_ups, lockout, PasswordChanges(base, lockout, TwoStep(base)), moves, Closing(base))
