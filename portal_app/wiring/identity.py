"""Builds the services for accounts, sessions, passwords and second factors."""

from dataclasses import dataclass

from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.encrypted_column import use_key_ring
from portal_app.infra.security.hash_queue import HashQueue
from portal_app.infra.security.passwords import Passwords
from portal_app.infra.security.secrets import Secrets, key_ring_of
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.settings import Settings
from portal_app.services.identity.account_closing import AccountClosing
from portal_app.services.identity.accounts import Accounts
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.devices import Devices
from portal_app.services.identity.lockout import Lockout
from portal_app.services.identity.mfa_challenge import MfaChallenge
from portal_app.services.identity.passkeys import Passkeys
from portal_app.services.identity.password_changes import PasswordChanges
from portal_app.services.identity.proof_attempts import ProofAttempts
from portal_app.services.identity.sessions import Sessions
from portal_app.services.identity.sign_in import SignIn
from portal_app.services.identity.sign_in_completion import SignInCompletion
from portal_app.services.identity.sign_in_tries import SignInTries
from portal_app.services.identity.step_up import StepUp
from portal_app.services.identity.totp import Totp
from portal_app.wiring.base import Base


@dataclass(frozen=True, slots=True)
class IdentityServices:
    """Accounts, sessions, passwords and second factors."""

    accounts: Accounts
    sessions: Sessions
    secrets: Secrets
    sign_in: SignIn
    lockout: Lockout
    password_changes: PasswordChanges
    mfa_challenge: MfaChallenge
    step_up: StepUp
    totp: Totp
    passkeys: Passkeys
    devices: Devices
    account_closing: AccountClosing


def build_context(base: Base) -> ServiceContext:
    """Return the parts that services of accounts and personal data share."""
    settings = base.settings
    return ServiceContext(
        settings=settings,
        database=base.database,
        secrets=_secrets(settings),
        limits=RateLimits(settings.redis_url, timeout=settings.redis_timeout),
        sessions=Sessions(settings, base.database, base.redis, base.live, base.email_outbox),
        email_outbox=base.email_outbox,
        queue=base.queue,
        reads=base.reads,
    )


def build_identity(context: ServiceContext) -> IdentityServices:
    """Build the services; lockout, TOTP and passkeys are shared between them."""
    totp, passkeys, lockout = Totp(context), Passkeys(context), Lockout(context)
    completion, attempts = SignInCompletion(context, totp), ProofAttempts(context)
    return IdentityServices(
        accounts=Accounts(context.database),
        sessions=context.sessions,
        secrets=context.secrets,
        sign_in=SignIn(context, completion, lockout, SignInTries(context)),
        lockout=lockout,
        password_changes=PasswordChanges(context, lockout, totp, attempts),
        mfa_challenge=MfaChallenge(context, completion, totp, passkeys),
        step_up=StepUp(context, totp, passkeys, attempts),
        totp=totp,
        passkeys=passkeys,
        devices=Devices(context.database, context.sessions),
        account_closing=AccountClosing(context),
    )


def _secrets(settings: Settings) -> Secrets:
    ring = key_ring_of(settings)
    use_key_ring(ring)
    secret = settings.jwt_refresh_secret.get_secret_value()
    queue = HashQueue(
        waiting=settings.portal_hash_queue,
        reserved=settings.portal_hash_reserved,
        seconds=settings.portal_hash_seconds,
    )
    pepper = settings.portal_pepper.get_secret_value()
    return Secrets(Passwords(rounds=settings.bcrypt_rounds, pepper=pepper, queue=queue), RandomTokens(secret), ring)
