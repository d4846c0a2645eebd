"""The parts that services of accounts and personal data have in common."""

from dataclasses import dataclass

from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.secrets import Secrets
from portal_app.infra.settings import Settings
from portal_app.services.customer_limits import CustomerLimits
from portal_app.services.identity.sessions import Sessions
from portal_app.services.mirrors.cached_reads import CachedReads
from portal_app.services.notifications.email_outbox import EmailOutbox


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """The common parts, built once in wiring."""

    settings: Settings
    database: Database
    secrets: Secrets
    limits: RateLimits
    sessions: Sessions
    email_outbox: EmailOutbox
    queue: DurableQueue
    reads: CachedReads

    @property
    def customer_limits(self) -> CustomerLimits:
        """What one customer may set off in a time."""
        return CustomerLimits(self.settings, self.limits)
