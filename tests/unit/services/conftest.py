"""The services of one web process over real servers; mails are read back instead of being sent."""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from portal_app.domain.identity.account import Origin
from portal_app.infra.database.database import Database
from portal_app.infra.database.durable import DurableQueue
from portal_app.infra.email.templates import EmailTemplates
from portal_app.infra.redis.cache import Cache
from portal_app.infra.redis.live import LiveUpdates
from portal_app.infra.redis.rate_limit import RateLimits
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.security.passwords import Passwords
from portal_app.infra.security.secrets import Secrets
from portal_app.infra.security.tokens import RandomTokens
from portal_app.infra.security.unsubscribe_links import UnsubscribeLinks
from portal_app.infra.settings import Settings
from portal_app.services.identity.accounts import Accounts
from portal_app.services.identity.context import ServiceContext
from portal_app.services.identity.sessions import Sessions
from portal_app.services.identity.sign_in import SignIn
from portal_app.services.mirrors.cached_reads import CachedReads
from portal_app.services.notifications.email_outbox import EmailOutbox
from portal_app.services.registration.sign_up import SignUps
from portal_app.wiring.identity import build_identity
from tests.support.values.written import Written

_GENEROUS = (
    "portal_sign_in_limit", "portal_account_sign_in_limit", "portal_request_limit", "portal_sign_up_limit",
    "portal_reset_limit", "portal_order_limit", "portal_same_order_limit", "portal_change_limit",
)  # fmt: skip


class Outbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    async def send(self, *, to: str, subject: str, text: str, html: str, message_id: str, **context: object) -> None:
        self.sent.append({"to": to, "subject": subject, "text": text, "html": html, "message_id": message_id})


@pytest.fixture
def written(worker: Database) -> Written:
    return Written(worker)


@pytest.fixture
def email_outbox(web: Database, queue: DurableQueue) -> EmailOutbox:
    templates = EmailTemplates(
        portal_url="http://localhost:3000",
        support="support@example.jp",
        product="Portal",
        durations={"code_seconds": 600, "reset_seconds": 1800, "unlock_seconds": 3600},
    )
    links = UnsubscribeLinks(RandomTokens("x" * 32), "http://localhost:3000")
    return EmailOutbox(web, queue, Outbox(), templates=templates, links=links)


@pytest.fixture
def make_sessions(
    settings: Settings, web: Database, redis: Redis, email_outbox: EmailOutbox
) -> Callable[..., Sessions]:
    def make(**changes: object) -> Sessions:
        return Sessions(settings.model_copy(update=changes), web, redis, LiveUpdates(redis, Cache(redis)), email_outbox)

    return make


@pytest.fixture
def sessions(make_sessions: Callable[..., Sessions]) -> Sessions:
    return make_sessions()


@pytest.fixture
async def identity(
    settings: Settings,
    web: Database,
    ring: KeyRing,
    queue: DurableQueue,
    sessions: Sessions,
    email_outbox: EmailOutbox,
    redis: Redis,
) -> AsyncIterator[ServiceContext]:
    # Every test has its own network address: the limits have their own tests.
    generous = dict.fromkeys(_GENEROUS, "100/minute")
    limits = RateLimits(settings.redis_url, timeout=10)
    secrets = Secrets(Passwords(rounds=4, pepper="p"), RandomTokens("secret"), ring)
    cache = Cache(redis)
    reads = CachedReads(settings, cache, LiveUpdates(redis, cache))
    yield ServiceContext(
        settings.model_copy(update=generous), web, secrets, limits, sessions, email_outbox, queue, reads
    )
    await cache.close()
    secrets.passwords.close()
    await limits.close()


@pytest.fixture
def sign_in(identity: ServiceContext) -> SignIn:
    return build_identity(identity).sign_in


@pytest.fixture
def sign_ups(identity: ServiceContext, sign_in: SignIn) -> SignUps:
    return SignUps(identity, sign_in)


@pytest.fixture
def accounts(web: Database) -> Accounts:
    return Accounts(web)


@pytest.fixture
def email() -> str:
    return f"{uuid4().hex}@example.jp"


@pytest.fixture
def origin() -> Origin:
    return Origin(uuid4().hex, "Firefox")
