"""The OAuth 2.0 JWT bearer flow: an assertion signed by the connected app's key buys an access token."""

import json
import time
from collections.abc import Collection
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from sandbox.settings import SandboxSettings

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_VENDOR_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


class LoginRefused(Exception):
    """The token endpoint's refusal: an OAuth error and its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


class Login:
    """Check assertions against the one connected app and user of the settings."""

    def __init__(self, settings: SandboxSettings, public_key_pem: bytes) -> None:
        self._settings = settings
        self._key = RSAKey.import_key(public_key_pem)

    def check(self, form: dict[str, str], own_urls: Collection[str]) -> None:
        """Accept a token request, `own_urls` being audiences beside the vendor's. Raises LoginRefused."""
        if form.get("grant_type") != GRANT_TYPE:
            raise LoginRefused("unsupported_grant_type", "grant type not supported")
        if not form.get("assertion"):
            raise LoginRefused("invalid_request", "assertion is required")
        claims = self._claims(form["assertion"])
        if claims.get("iss") != self._settings.sf_client_id:
            raise LoginRefused("invalid_client_id", "client identifier invalid")
        if str(claims.get("aud", "")).rstrip("/") not in self._audiences(own_urls):
            raise LoginRefused("invalid_grant", "audience is invalid")
        self._check_expiry(claims)
        if claims.get("sub") != self._settings.sf_username:
            raise LoginRefused("invalid_grant", "user hasn't approved this consumer")

    def _claims(self, assertion: str) -> dict[str, Any]:
        try:
            claims = json.loads(jws.deserialize_compact(assertion, self._key, algorithms=["RS256"]).payload)
        except (JoseError, ValueError) as error:
            raise LoginRefused("invalid_grant", "invalid assertion") from error
        if not isinstance(claims, dict):
            raise LoginRefused("invalid_grant", "invalid assertion")
        return claims

    def _audiences(self, own_urls: Collection[str]) -> set[str]:
        configured = self._settings.sf_audience
        return {url.rstrip("/") for url in ((configured,) if configured else _VENDOR_AUDIENCES)} | set(own_urls)

    @staticmethod
    def _check_expiry(claims: dict[str, Any]) -> None:
        # The caller signs by the real time, so the sandbox's movable clock has no say here.
        try:
            ahead = float(claims.get("exp", "")) - time.time()
        except (OverflowError, TypeError, ValueError) as error:
            raise LoginRefused("invalid_grant", "invalid assertion") from error
        # Only the past is refused: the official CLI library signs the expiry in milliseconds and logs in.
        if not ahead > 0:
            raise LoginRefused("invalid_grant", "expired authorization code")
