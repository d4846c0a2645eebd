"""The wire to WHMCS's includes/api.php: sends an action, tells success from every kind of failure."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx
import structlog

from portal_app.domain.errors import ExternalRejected, OutcomeUnknown
from portal_app.infra.settings import Settings
from portal_app.integrations.http import Endpoint, lost, post_form
from portal_app.integrations.throttling.vendor_call import Misconfigured, VendorCall
from portal_app.integrations.whmcs.encoding import FormValue, php_form

VENDOR = "whmcs"
_log = structlog.get_logger(__name__)
# Answers about who we are, not about what we asked.
_OUR_FAULT = re.compile(
    r"Invalid IP |Invalid or missing credentials|Authentication Failed|Administrator Account Disabled|Access Denied"
    r"|Invalid Permissions: |Empty action request|API Function Not Found|The requested API Action could not be found",
    re.IGNORECASE,
)
# A warning on these has meant failure in the wild.
_WARNING_IS_DOUBT = frozenset({"AddOrder", "CapturePayment"})
_FLATTENED = re.compile(r"\w+(\[\w+\])+", re.ASCII)


class WHMCSRejected(ExternalRejected):
    """WHMCS understood and refused; `message` is its own text with spaces collapsed, for comparing only."""

    vendor = VENDOR

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"{action}: {message}")
        self.message = message


class WHMCSClient:
    """Call actions of one WHMCS installation."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient, line: VendorCall) -> None:
        self._settings = settings
        self._http = http
        self._line = line

    async def call(self, action: str, params: Mapping[str, FormValue], *, safe: bool) -> dict[str, Any]:
        """Run one action and return its body.

        A safe action is repeated when WHMCS is away. Raises WHMCSRejected, ExternalUnavailable and, for an action
        that is not safe and whose answer was lost or is unreadable, OutcomeUnknown.
        """
        body = php_form({**params, **self._credentials(), "action": action, "responsetype": "json"})
        endpoint = Endpoint(VENDOR, action, self._settings.whmcs_api_url, safe)

        async def once() -> dict[str, Any]:
            return _read(endpoint, await post_form(self._http, endpoint, body))

        answer = await self._line.run(action, once, safe=safe)
        if warning := str(answer.get("warning") or "")[:200]:
            _log.warning("whmcs.warning", action=action, warning=warning)
            if action in _WARNING_IS_DOUBT:
                # Raised here and not in the call: WHMCS has answered, so this is no step towards its breaker.
                raise OutcomeUnknown(f"{action}: success with a warning: {warning}", vendor=VENDOR)
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _credentials(self) -> dict[str, FormValue]:
        own = self._settings
        return {
            "identifier": own.whmcs_api_identifier,
            "secret": own.whmcs_api_secret.get_secret_value(),
            "accesskey": own.whmcs_access_key.get_secret_value() or None,
        }


def _read(endpoint: Endpoint, answer: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise lost(endpoint, f"{endpoint.operation}: HTTP {answer.status_code}, no JSON") from error
    if not isinstance(body, dict):
        raise lost(endpoint, f"{endpoint.operation}: HTTP {answer.status_code}, JSON but no object")
    outcome = body.get("result", body.get("status"))
    if not _is_success(outcome, body, answer):
        raise _refusal(endpoint, body, answer.status_code)
    return _unflattened(body)


def _is_success(outcome: object, body: dict[str, Any], answer: httpx.Response) -> bool:
    if answer.status_code >= 300:
        return False
    neither_key = "result" not in body and "status" not in body
    return neither_key or str(outcome).lower() == "success"


def _refusal(endpoint: Endpoint, body: dict[str, Any], status: int) -> Exception:
    message = " ".join(str(body.get("message", "")).split())
    if _OUR_FAULT.match(message) or status in (401, 403):
        # The address in "Invalid IP ..." is our own: the one to allow at WHMCS.
        return Misconfigured(f"{endpoint.operation}: HTTP {status}, {message[:80]}", vendor=VENDOR)
    if not message:
        return lost(endpoint, f"{endpoint.operation}: HTTP {status}, an error without a message")
    return WHMCSRejected(endpoint.operation, message[:300])


def _unflattened(body: dict[str, Any]) -> dict[str, Any]:
    """Turn keys such as "credits[credit][0][id]" into the nesting that other versions send."""
    if not any(_FLATTENED.fullmatch(key) for key in body):
        return body
    nested: dict[str, Any] = {}
    for key, value in body.items():
        if not _FLATTENED.fullmatch(key):
            nested[key] = value
            continue
        *path, last = re.findall(r"\w+", key)
        place = nested
        for part in path:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[last] = value
    return nested
