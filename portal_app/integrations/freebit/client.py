"""The wire to Freebit: a form with one field of JSON, answered with HTTP 200 and a result code."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from portal_app.domain.errors import LineLocked, NotFound
from portal_app.infra.redis.cache import Cache
from portal_app.infra.security.encryption import KeyRing
from portal_app.infra.settings import Settings
from portal_app.integrations.freebit.codes import VENDOR, Codes, FreebitRejected
from portal_app.integrations.freebit.login import AuthKey, FreebitLogin
from portal_app.integrations.freebit.operations import AUTHENTICATE, Operation, Paths
from portal_app.integrations.http import Endpoint, lost, post_form
from portal_app.integrations.throttling.vendor_call import Misconfigured, VendorCall

_NOT_OURS = (401, 403, 404)


class _KeyRefused(Exception):
    """The auth key is dead: nothing was done, get a new one and repeat."""


class FreebitClient:
    """Call operations of Freebit with an auth key."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, line: VendorCall, *, cache: Cache, ring: KeyRing
    ) -> None:
        self._settings = settings
        self._http = http
        self._line = line
        self._codes = Codes(settings)
        self._paths = Paths(settings.freebit_url, settings.freebit_paths)
        self._login = FreebitLogin(cache, ring, self._authenticate, seconds=settings.freebit_key_seconds)

    async def call(self, operation: Operation, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Run one operation and return its body; a dead key is replaced once.

        Raises NotFound for an account that does not exist, LineLocked, FreebitRejected, ExternalUnavailable and, for
        an operation that is not safe and whose answer was lost or is unreadable, OutcomeUnknown.
        """
        key = await self._login.key()
        try:
            return await self._send(operation, fields, key)
        except _KeyRefused:
            key = await self._login.renew(key)
        try:
            return await self._send(operation, fields, key)
        except _KeyRefused as error:
            raise Misconfigured(f"{operation.spec}: a fresh key was refused", vendor=VENDOR) from error

    async def try_login(self) -> None:
        """Ask for an auth key and drop it. Raises Misconfigured and ExternalUnavailable."""
        await self._authenticate()

    async def has_been_well(self) -> bool:
        """Say whether no call of any process has failed since the last that was answered."""
        return await self._line.breaker.has_no_failure()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _authenticate(self) -> str:
        own = self._settings
        if not own.freebit_url:
            raise Misconfigured("FREEBIT_URL is empty", vendor=VENDOR)
        who = {"oemId": own.freebit_client_id, "oemKey": own.freebit_client_secret.get_secret_value()}
        try:
            body = await self._send(AUTHENTICATE, who, None)
            return str(body["authKey"])
        except (_KeyRefused, FreebitRejected, NotFound, LineLocked, KeyError) as error:
            raise Misconfigured(f"{AUTHENTICATE.spec}: no key was given", vendor=VENDOR) from error

    async def _send(self, operation: Operation, fields: Mapping[str, Any], key: AuthKey | None) -> dict[str, Any]:
        own = {"authKey": key.value, **fields} if key else dict(fields)
        form = {"json": json.dumps(own, ensure_ascii=False, separators=(",", ":"))}
        if operation.versioned and self._settings.freebit_version:
            form["version"] = self._settings.freebit_version
        body = urlencode(form)
        endpoint = Endpoint(VENDOR, operation.spec, self._paths.url(operation), operation.safe)

        async def once() -> dict[str, Any]:
            return self._read(endpoint, await post_form(self._http, endpoint, body))

        return await self._line.run(operation.spec, once, safe=operation.safe)

    def _read(self, endpoint: Endpoint, answer: httpx.Response) -> dict[str, Any]:
        try:
            body = json.loads(answer.content)
            codes, meaning = self._codes.read(body)
        except (ValueError, AttributeError, RecursionError) as error:
            if answer.status_code in _NOT_OURS:
                raise Misconfigured(f"{endpoint.operation}: HTTP {answer.status_code}", vendor=VENDOR) from error
            raise lost(endpoint, f"{endpoint.operation}: HTTP {answer.status_code}, no result code") from error
        if meaning == "unclear" or (meaning == "success" and answer.status_code != 200):
            raise lost(endpoint, f"{endpoint.operation}: HTTP {answer.status_code}, {codes}")
        if meaning != "success":
            raise self._refusal(endpoint, codes, meaning)
        return dict(body)

    def _refusal(self, endpoint: Endpoint, codes: str, meaning: str) -> Exception:
        if meaning == "dead_key":
            return _KeyRefused()
        if meaning == "missing":
            return NotFound(f"{endpoint.operation}: {codes}")
        if meaning == "locked":
            return LineLocked(self._settings.freebit_lock_seconds, is_at_most=True)
        return FreebitRejected(endpoint.operation, codes)
