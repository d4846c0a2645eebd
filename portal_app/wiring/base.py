"""Builds what all capabilities share: settings, stores, the queue, vendors and the email outbox."""

from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.email.smtp import SmtpMailer
from portal_app.infra.email.templates import EmailTemplates
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.client import connect
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.settings import Settings
from portal_app.integrations.build import Vendors, build_vendors
from portal_app.services.mirrors.cached_reads import CachedReads
from portal_app.services.notifications.email_outbox import EmailOutbox

Role = Literal["web", "worker"]


@dataclass(frozen=True, slots=True)
class Base:
    """The shared parts of one process."""

    settings: Settings
    redis: Redis
    database: Database
    queue: DurableQueue
    live: LiveUpdates
    cache: Cache
    reads: CachedReads
    vendors: Vendors
    email_outbox: EmailOutbox


def build_base(settings: Settings, role: Role) -> Base:
    """Return the shared parts. Opens no connection."""
    redis = connect(settings.redis_url, seconds=settings.redis_timeout, silence=settings.redis_silence_seconds)
    cache = Cache(redis)
    live = LiveUpdates(redis, cache)
    templates = EmailTemplates.of(settings)
    database, queue = Database(settings, role), DurableQueue(settings, role)
    return Base(
        settings=settings,
        redis=redis,
        database=database,
        queue=queue,
        live=live,
        cache=cache,
        reads=CachedReads(settings, cache, live),
        vendors=build_vendors(settings, redis, database),
        email_outbox=EmailOutbox(database, queue, SmtpMailer(settings), templates),
    )
