"""What every service of identity stands on: signing up, signing in, passwords, moving here."""

from dataclasses import dataclass

from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.secrets import Secrets
from portal_app.infra.settings import Settings
from portal_app.services.identity.sessions import Sessions
from portal_app.services.mirrors.cached_reads import CachedReads
from portal_app.services.notifications.email_outbox import EmailOutbox


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """The parts, joined once in wiring."""

    settings: Settings
    database: Database
    vault: Secrets
    limits: RateLimits
    sessions: Sessions
    notifications: EmailOutbox
    queue: DurableQueue
    reads: CachedReads
