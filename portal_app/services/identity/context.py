"""What every service of identity stands on: signing up, signing in, passwords, moving here."""

from dataclasses import dataclass

from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.secrets import Vault
from portal_app.infra.settings import Settings
from portal_app.services.identity.sessions import Sessions
from portal_app.services.mirrors.cached_reads import Readings
from portal_app.services.notifications.email_outbox import Notifications


@dataclass(frozen=True, slots=True)
class IdentityBase:
    """The parts, joined once in wiring."""

    settings: Settings
    database: Database
    vault: Vault
    limits: RateLimits
    sessions: Sessions
    notifications: Notifications
    queue: DurableQueue
    readings: Readings
