"""HTTP to vendors: one client factory, and one function that sends a request and says plainly what became of it."""

import re
import ssl
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
from asgi_correlation_id import correlation_id

from portal_app.domain.errors import ExternalUnavailable, OutcomeUnknown
from portal_app.infra.clock import unmoved_timestamp

CORRELATION_HEADER = "X-Correlation-ID"
# No more than a number can hold whose header says so in earnest.
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a form is posted. `safe` says that sending it twice does no harm."""

    vendor: str
    operation: str
    url: str
    safe: bool


def vendor_client(*, timeout: float, ca_file: str = "", connections: int = 20) -> httpx.AsyncClient:
    """Return a client for one vendor. It reads no proxy or CA from the environment and follows no redirects."""
    return httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=ca_file) if ca_file else ssl.create_default_context(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(timeout, connect=min(5.0, timeout), pool=min(5.0, timeout)),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=4),
        headers={"User-Agent": "portal/1", "Accept": "application/json"},
    )


async def post_form(client: httpx.AsyncClient, endpoint: Endpoint, body: str) -> httpx.Response:
    """Send one form and return the answer, whatever its status below 500 except 429.

    Raises ExternalUnavailable when nothing was sent, the vendor asks to slow down, or the call is safe; else
    OutcomeUnknown when an answer was lost or is a server's fault. Error texts carry the operation and the status
    alone: bodies and addresses may hold secrets.
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded", **correlation_headers()}
    try:
        answer = await client.post(endpoint.url, content=body.encode(), headers=headers)
    except _NOT_SENT as error:
        raise ExternalUnavailable(_told(endpoint, error), vendor=endpoint.vendor) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise lost(endpoint, _told(endpoint, error)) from error
    if answer.status_code == 429:
        raise slow_down(endpoint, answer.headers)
    if answer.status_code >= 500:
        raise _server_fault(endpoint, answer)
    return answer


def lost(endpoint: Endpoint, detail: str) -> ExternalUnavailable | OutcomeUnknown:
    """Return the error for an answer that is missing or makes no sense."""
    kind = ExternalUnavailable if endpoint.safe else OutcomeUnknown
    return kind(detail, vendor=endpoint.vendor)


def correlation_headers() -> dict[str, str]:
    """Return the header that lets a vendor's log be matched with ours."""
    current = correlation_id.get()
    return {CORRELATION_HEADER: current} if current else {}


def retry_after(value: str | None) -> int | None:
    """Read a Retry-After header, seconds or date, as seconds; None for what is neither."""
    told = (value or "").strip()
    if _SECONDS.fullmatch(told):
        return int(told)
    try:
        at = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return None
    return max(0, int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() - unmoved_timestamp()))


def slow_down(endpoint: Endpoint, headers: httpx.Headers) -> ExternalUnavailable:
    """Return the error for a vendor that asks us to come back later; it did nothing."""
    error = ExternalUnavailable(f"{endpoint.operation}: asked to slow down", vendor=endpoint.vendor)
    seconds = retry_after(headers.get("Retry-After"))
    if seconds is not None:
        error.retry_after = seconds
    return error


def _server_fault(endpoint: Endpoint, answer: httpx.Response) -> ExternalUnavailable | OutcomeUnknown:
    error = lost(endpoint, f"{endpoint.operation}: HTTP {answer.status_code}")
    seconds = retry_after(answer.headers.get("Retry-After"))
    if seconds is not None and isinstance(error, ExternalUnavailable):
        error.retry_after = seconds
    return error


def _told(endpoint: Endpoint, error: Exception) -> str:
    return f"{endpoint.operation}: {type(error).__name__}"
