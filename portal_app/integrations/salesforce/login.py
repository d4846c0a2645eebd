"""Logging in to Salesforce with a signed token (OAuth 2.0 JWT bearer flow), once for all who wait."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from portal_app.domain.errors import ExternalUnavailable
from portal_app.domain.identifiers import salesforce_id
from portal_app.infra.clock import unmoved_timestamp
from portal_app.infra.settings import Settings
from portal_app.infra.tasks.shielded import ShieldedTasks
from portal_app.integrations.http import Endpoint, post_form
from portal_app.integrations.throttling.vendor_call import Misconfigured

VENDOR = "salesforce"
LOGINS_PER_MINUTE = 10
_RATE_PAUSE = 300
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SalesforceSession:
    """A live session. `instance_url` has no slash at the end; `org_id` is the tenant of the event bus."""

    token: str = field(repr=False)
    instance_url: str
    org_id: str


class SalesforceLogin:
    """Hold the current session of this process and renew it when somebody finds it dead."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._current: SalesforceSession | None = None
        self._logging_in = ShieldedTasks()
        self._logins: deque[float] = deque()

    async def session(self) -> SalesforceSession:
        """Return the session, logging in if there is none. Raises ExternalUnavailable or Misconfigured."""
        if self._current is not None:
            return self._current
        # Cancelling one caller must not end the login for the others.
        return await self._logging_in.run(self._log_in, key="login")

    async def renew(self, dead: SalesforceSession) -> SalesforceSession:
        """Replace a session that was refused; whoever comes with an older one gets the new one."""
        self.discard(dead)
        return await self.session()

    def discard(self, dead: SalesforceSession) -> None:
        """Forget a session that was refused, for the next caller to log in anew."""
        if self._current is dead:
            self._current = None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _log_in(self) -> SalesforceSession:
        try:
            # Every caller waits for this login: one that hangs would hold them all.
            async with asyncio.timeout(self._settings.sf_timeout):
                return await self._request_session()
        except TimeoutError as error:
            raise ExternalUnavailable("login: no answer in time", vendor=VENDOR) from error

    async def _request_session(self) -> SalesforceSession:
        self._count_login()
        endpoint = Endpoint(VENDOR, "login", f"{self._settings.sf_login_url}/services/oauth2/token", safe=True)
        form = urlencode({"grant_type": _GRANT, "assertion": self._assertion()})
        session = _session_of(await post_form(self._http, endpoint, form))
        self._current = session
        _log.info("salesforce.logged_in", org=session.org_id)
        return session

    def _count_login(self) -> None:
        now = time.monotonic()
        while self._logins and self._logins[0] < now - 60:
            self._logins.popleft()
        if len(self._logins) >= LOGINS_PER_MINUTE:
            raise ExternalUnavailable("login: too many logins in a minute", vendor=VENDOR)
        self._logins.append(now)

    def _assertion(self) -> str:
        own = self._settings
        claims = {
            "iss": own.sf_client_id,
            "sub": own.sf_username,
            "aud": own.sf_audience or own.sf_login_url,
            "exp": int(unmoved_timestamp()) + 180,
        }
        try:
            return jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(own.private_key), algorithms=["RS256"])
        except (OSError, ValueError, JoseError) as error:
            raise Misconfigured(f"login: {type(error).__name__} with SF_PRIVATE_KEY_FILE", vendor=VENDOR) from error


def _session_of(answer: httpx.Response) -> SalesforceSession:
    try:
        body = json.loads(answer.content)
        if answer.status_code == 200:
            instance = str(body["instance_url"]).rstrip("/")
            org = salesforce_id(urlsplit(str(body["id"])).path.split("/")[-2])
            return SalesforceSession(token=str(body["access_token"]), instance_url=instance, org_id=org)
        reason, description = str(body["error"]), str(body.get("error_description") or "")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ExternalUnavailable(f"login: HTTP {answer.status_code}, unreadable", vendor=VENDOR) from error
    raise _refusal(reason, description)


def _refusal(reason: str, description: str) -> ExternalUnavailable:
    detail = f"login: {reason[:40]}: {description[:120]}"
    if "LOGIN_RATE_EXCEEDED" in description or "login rate exceeded" in description.lower():
        error = ExternalUnavailable(detail, vendor=VENDOR)
        error.retry_after = _RATE_PAUSE
        return error
    if reason in ("server_error", "temporarily_unavailable"):
        return ExternalUnavailable(detail, vendor=VENDOR)
    return Misconfigured(detail, vendor=VENDOR)
