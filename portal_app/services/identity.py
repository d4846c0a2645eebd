"""What every service of identity stands on: signing up, signing in, passwords, moving here."""

from dataclasses import dataclass

from portal_app.infra.database import Database
from portal_app.infra.durable import DurableQueue
from portal_app.infra.rate_limit import RateLimits
from portal_app.infra.settings import Settings
from portal_app.infra.vault import Vault
from portal_app.services.notifications import Notifications
from portal_app.services.readings import Readings
from portal_app.services.sessions import Sessions


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
