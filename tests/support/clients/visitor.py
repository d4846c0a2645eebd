"""A client of the portal's HTTP edge: a browser that submits forms, or a program that sends JSON."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import uuid4

import httpx
from asgi_correlation_id import CorrelationIdMiddleware
from sqlmodel import col, select
from starlette.types import ASGIApp

from portal_app.api.application import build_api
from portal_app.api.http.access_log import AccessLog
from portal_app.api.http.cookie_filter import CookieFilter
from portal_app.api.http.request_context import RequestContextMiddleware
from portal_app.api.http.response_cache import CachedResponses
from portal_app.api.http.security_headers import SecurityHeaders
from portal_app.api.http.session_middleware import SessionMiddleware
from portal_app.infra.security.cookies import cookie_name
from portal_app.infra.settings import Settings
from portal_app.models.email_outbox import Mail
from portal_app.models.user import EMAIL_PLACE, IdMapping, User
from portal_app.wiring.portal import Portal, build, set_portal
from tests.support.running.world import PASSWORD


def edge(settings: Settings) -> ASGIApp:
    """Return the API behind the same layers as in the web process; `/dashboard` stands for every protected page."""
    protected = ("/dashboard", "/ja/dashboard")
    sessions = SessionMiddleware(build_api(settings), settings, lambda path: path.startswith(protected))
    served = RequestContextMiddleware(CachedResponses(sessions, settings), settings)
    return CorrelationIdMiddleware(AccessLog(SecurityHeaders(CookieFilter(served, settings), settings)))


@asynccontextmanager
async def running(settings: Settings, role: Literal["web", "worker"] = "web") -> AsyncIterator[Portal]:
    """Build a portal and close all of its connections at the end, the rate limiter's included."""
    built = build(settings, role=role)
    yield built
    await built.close()
    await built.limits._shared.storage.bridge.get_connection().aclose(close_connection_pool=True)


@asynccontextmanager
async def instead_of(portal: Portal, settings: Settings) -> AsyncIterator[Portal]:
    """Replace the portal of this process for a while."""
    async with running(settings) as other:
        set_portal(other)
        try:
            yield other
        finally:
            set_portal(portal)


class Visitor:
    """One browser with its own cookies."""

    def __init__(self, settings: Settings, *, address: str = "127.0.0.1") -> None:
        self.settings = settings
        transport = httpx.ASGITransport(edge(settings), client=(address, 1))
        self.email = ""
        self.http = httpx.AsyncClient(transport=transport, base_url=settings.portal_url)

    async def submit(self, path: str, *, page: str = "/", **fields: str) -> httpx.Response:
        """Send a native form from a page of ours, with a key of its own unless one is given."""
        headers = {
            "Origin": self.settings.portal_url,
            "Sec-Fetch-Site": "same-origin",
            "Referer": self.settings.portal_url + page,
            "Accept": "text/html",
        }
        return await self.http.post(path, data={"idempotency_key": uuid4().hex, **fields}, headers=headers)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a program's request, with a key of its own unless one is given."""
        content = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        named = {"Idempotency-Key": uuid4().hex}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, content=content, headers=kind | named)

    async def get(self, path: str) -> httpx.Response:
        """Read as a program does."""
        return await self.http.get(path)

    async def get_as_operator(self, path: str) -> httpx.Response:
        """Read what is told to operators alone."""
        token = self.settings.portal_operator_token.get_secret_value()
        return await self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    async def sign_in(self, email: str, password: str = PASSWORD) -> "Visitor":
        """Sign in by form."""
        self.email = email
        answer = await self.submit("/api/auth/login", email=email, password=password)
        assert answer.status_code == 303 and "flash" not in answer.headers["location"]
        return self

    def cookie(self, kind: str) -> str:
        """Return the value of an access, refresh or signup cookie, or an empty text."""
        return self.http.cookies.get(cookie_name(self.settings, kind), "")

    def set_cookie(self, kind: str, value: str) -> None:
        """Set a cookie; an empty value removes it."""
        name = cookie_name(self.settings, kind)
        for cookie in [each for each in self.http.cookies.jar if each.name == name]:
            self.http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
        if value:
            self.http.cookies.set(name, value, domain="localhost.local")


async def new_account(portal: Portal) -> str:
    """Store an account that can sign in with PASSWORD, and return its address."""
    email = f"{uuid4().hex}@example.jp"
    async with portal.database.identity() as session:
        user = User(
            email=email,
            email_index=portal.identity.secrets.ring.index(email, EMAIL_PLACE),
            password_hash=await portal.identity.secrets.passwords.hash(PASSWORD),
            name="Hana Sato",
            customer_number=uuid4().hex[:9],
        )
        session.add(user)
    return email


async def new_customer(worker: Portal) -> str:
    """Store an account that is mapped to ids which no vendor knows, and return its address."""
    email = await new_account(worker)
    async with worker.database.identity() as session:
        user = await User.by_email(session, worker.identity.secrets.ring.index(email, EMAIL_PLACE))
    number = secrets.randbelow(10**8)
    ids = {"whmcs_client_id": number, "sf_account_id": f"001{number:015}", "sf_contact_id": f"003{number:015}"}
    async with worker.database.unit_of_work() as session:
        session.add(IdMapping(user_id=user.id, customer_number=f"C{number:08}", **ids))
    return email


async def mailed(worker: Portal, email: str, template: str = "") -> dict[str, str]:
    """Return template and content of the last mail to an address, of one template if it is named."""
    async with worker.database.unit_of_work() as session:
        found = (await session.exec(select(Mail).order_by(col(Mail.created_at).desc()).limit(200))).all()
    mail = next(mail for mail in found if mail.recipient == email and template in ("", mail.template))
    return {"occasion": mail.template, **json.loads(mail.content)}
