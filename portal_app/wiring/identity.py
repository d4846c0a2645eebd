"""Builds what signs people in, keeps their accounts safe, and registers new ones."""

from dataclasses import dataclass

from portal_app.domain.ports.billing import BillingGateway
from portal_app.domain.ports.whmcs_accounts import BillingLogins, ExistingAccounts
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.passwords import Passwords
from portal_app.infra.security.sealed_column import use_key_ring
from portal_app.infra.security.secrets import Secrets, ring_of
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings
from portal_app.services.identity.account_closing import Closing
from portal_app.services.identity.accounts import Accounts
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.devices import Devices
from portal_app.services.identity.lockout import Lockout
from portal_app.services.identity.mfa_challenge import MfaChallenge
from portal_app.services.identity.passkeys import Passkeys
from portal_app.services.identity.password_changes import PasswordChanges
from portal_app.services.identity.sessions import Sessions
from portal_app.services.identity.sign_in import SignIn
from portal_app.services.identity.sign_in_completion import SignInCompletion
from portal_app.services.identity.step_up import StepUp
from portal_app.services.identity.totp import Totp
from portal_app.services.registration.account_setup import AccountSetup
from portal_app.services.registration.sign_up import SignUps
from portal_app.services.registration.whmcs_migration import WhmcsMigration
from portal_app.services.registration.whmcs_migration_setup import WhmcsMigrationSetup
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class Entry:
    """The services behind the pages below /auth."""

    sign_in: SignIn
    sign_ups: SignUps
    lockout: Lockout
    password_changes: PasswordChanges
    moves: WhmcsMigration
    closing: Closing


@dataclass(frozen=True, slots=True)
class IdentityServices:
    """What signs people in and keeps them safe afterwards; `context` is what other services stand on."""

    context: ServiceContext
    accounts: Accounts
    entry: Entry
    second_step: MfaChallenge
    step_up: StepUp
    two_step: Totp
    passkeys: Passkeys
    devices: Devices
    onboarding: AccountSetup
    moving_in: WhmcsMigrationSetup


def build_identity(base: Base) -> IdentityServices:
    """Join every way into an account."""
    context, vendors = _context(base), base.vendors
    two_step, passkeys = Totp(context), Passkeys(context)
    admission = SignInCompletion(context, two_step)
    billing, logins, directory = vendors.billing, vendors.logins, vendors.directory
    told, live = base.notifications, base.live
    onboarding = AccountSetup(base.database, billing, vendors.crm, directory=directory, notifications=told, live=live)
    return IdentityServices(
        context=context,
        accounts=Accounts(base.database),
        entry=join_entry(context, admission, billing=billing, logins=logins, directory=directory),
        second_step=MfaChallenge(context, admission, two_step, passkeys),
        step_up=StepUp(context, two_step, passkeys),
        two_step=two_step,
        passkeys=passkeys,
        devices=Devices(base.database, context.sessions),
        onboarding=onboarding,
        moving_in=WhmcsMigrationSetup(
            onboarding, billing=billing, people=vendors.people, logins=logins, directory=directory
        ),
    )


def join_entry(
    context: ServiceContext,
    admission: SignInCompletion,
    *,
    billing: BillingGateway,
    logins: BillingLogins,
    directory: ExistingAccounts,
) -> Entry:
    """Join the services of /auth over what every service of identity stands on, and what knows existing customers."""
    lockout = Lockout(context)
    sign_in = SignIn(context, admission, lockout)
    sign_ups = SignUps(context, admission, sign_in)
    moves = WhmcsMigration(context, sign_ups, admission, billing=billing, logins=logins, directory=directory)
    changes = PasswordChanges(context, lockout, Totp(context))
    return Entry(sign_in, sign_ups, lockout, changes, moves, Closing(context))


def _context(base: Base) -> ServiceContext:
    settings = base.settings
    return ServiceContext(
        settings=settings,
        database=base.database,
        vault=_vault(settings),
        limits=RateLimits(settings.redis_url, timeout=settings.redis_timeout),
        sessions=Sessions(settings, base.database, base.redis, base.live, base.notifications),
        notifications=base.notifications,
        queue=base.queue,
        readings=base.readings,
    )


def _vault(settings: Settings) -> Secrets:
    ring = ring_of(settings)
    use_key_ring(ring)
    secret = settings.jwt_refresh_secret.get_secret_value()
    return Secrets(
        Passwords(rounds=settings.bcrypt_rounds, pepper=settings.portal_pepper.get_secret_value()),
        RandomTokens(secret),
        ring,
    )
