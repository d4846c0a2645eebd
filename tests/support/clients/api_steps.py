"""Steps that customers take at the API, for tests that begin after them."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import OctKey

from portal_app.domain.errors import StepUpNeeded
from portal_app.infra.clock import now
from portal_app.models.session import Session
from portal_app.wiring.portal import Portal
from tests.support.clients.visitor import Visitor, mailed
from tests.support.clients.whmcs_clients import OLD_PASSWORD
from tests.support.running.world import world

NEW_PASSWORD = "seven green apples"


async def prove(visitor: Visitor, worker: Portal, email: str, *, start: str = "/api/auth/migrate") -> httpx.Response:
    """Start a migration or a sign-up, and prove the mailbox."""
    answer = await visitor.submit(start, email=email)
    assert answer.headers["location"] == "/auth/verify"
    return await visitor.submit("/api/auth/signup/verify", code=(await mailed(worker, email))["code"])


async def old_password(visitor: Visitor, password: str = OLD_PASSWORD) -> httpx.Response:
    """Give the WHMCS password."""
    return await visitor.submit("/api/auth/migrate/password", password=password)


async def set_password(visitor: Visitor, password: str = NEW_PASSWORD) -> httpx.Response:
    """Set the portal password."""
    return await visitor.submit("/api/auth/set-password", password=password)


def aged_access(token: str, *, seconds: int) -> str:
    """Return the same access token as if it had been issued that long ago."""
    key = OctKey.import_key(world().settings.jwt_secret.get_secret_value())
    decoded = jwt.decode(token, key)
    moved = {name: decoded.claims[name] - seconds for name in ("iat", "nbf", "exp")}
    return jwt.encode(decoded.header, decoded.claims | moved, key)


DETAILS = {
    "first_name": "Hana",
    "last_name": "Mori",
    "phone": "090-1234-5678",
    "postcode": "106-0044",
    "prefecture": "東京都",
    "city": "港区",
    "town": "東麻布",
    "street": "1-5-3",
    "building": "",
    "city_romanised": "Minato-ku",
    "town_romanised": "Higashiazabu",
    "building_romanised": "",
    "password": "a long enough secret",
    "terms": "on",
}


async def flash_of(portal: Portal, answer: httpx.Response, path: str) -> dict[str, str]:
    """Return what a refused form left for its page."""
    target = urlsplit(answer.headers["location"])
    assert (answer.status_code, target.path) == (303, path)
    return await portal.flash_messages.read(parse_qs(target.query)["flash"][0])


async def let_the_proof_age(portal: Portal, somebody: Visitor, *, hours: float = 1) -> None:
    """Make the last proof of somebody's session so old."""
    async with portal.database.identity() as session:
        row = await session.get(
            Session, portal.identity.sessions.read_access_token(somebody.cookie("access")).session_id
        )
        row.confirmed_at = now() - timedelta(hours=hours)


async def is_recent(portal: Portal, somebody: Visitor) -> bool:
    try:
        await portal.identity.sessions.require_recent(
            portal.identity.sessions.read_access_token(somebody.cookie("access")).session_id
        )
    except StepUpNeeded:
        return False
    return True


SKU = "VPN-REMOTE-ACCESS-UK-LONDON"
