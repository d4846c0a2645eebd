"""Checks of PORTAL_URL, as a customer's browser reaches it: name, certificate, proxy and websockets."""

import re
import socket
import ssl
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from portal_app.infra.checks.check import Check, Problem, Unfit
from portal_app.infra.checks.http_probe import Answer, get
from portal_app.infra.clock import now
from portal_app.infra.settings import Settings

_LIVE = "/api/health/live"
_SOCKET = "/_event/?EIO=4&transport=websocket"
_FEWEST_DAYS = 14
_NOT_THERE = frozenset({502, 503, 504})


def address_checks(settings: Settings) -> list[Check]:
    """Return the checks of the public address. They need the portal to run behind it."""

    async def reached() -> str:
        answer = await _asked(settings)
        if problem := certificate_problem(answer.certificate, now()):
            raise Unfit(problem)
        return f"{settings.portal_url} answers"

    async def portal() -> str:
        answer = await _asked(settings)
        if problem := answer_problem(settings, answer):
            raise Unfit(problem)
        return "leads to the portal"

    async def sockets() -> str:
        return await _sockets(settings)

    return [
        Check("address.reached", "Public address", reached, seconds=15),
        Check("address.portal", "Public address: portal behind it", portal, seconds=15, after=("address.reached",)),
        Check("address.sockets", "Public address: live pages", sockets, seconds=15, after=("address.portal",)),
    ]


def certificate_problem(certificate: Any, moment: datetime) -> Problem | None:
    """Return what is wrong with the days left of a certificate, as ssl tells it; none without TLS."""
    if not certificate:
        return None
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    left = (ends - moment).days
    if left >= _FEWEST_DAYS:
        return None
    wrong = f"The certificate of PORTAL_URL ends in {left} days."
    return Problem(wrong, "See why it is not renewed (certbot renew --dry-run).", "PORTAL_URL", is_warning=True)


def answer_problem(settings: Settings, answer: Answer) -> Problem | None:
    """Return what is wrong with the answer at the portal's health address."""
    if answer.status == 200 and re.search(rb'"status":\s*"ok"', answer.body):
        return None
    if answer.status in _NOT_THERE:
        wrong = f"The proxy at PORTAL_URL finds no portal behind it (HTTP {answer.status})."
        do = f"Start portal web; the proxy must lead to port {settings.portal_port} (deploy/nginx.conf is a sample)."
        return Problem(wrong, do, "PORTAL_URL")
    wrong = f"PORTAL_URL does not lead to the portal: {_LIVE} answers HTTP {answer.status}."
    return Problem(wrong, "Let the proxy pass every path of this host on, unchanged.", "PORTAL_URL")


async def _asked(settings: Settings) -> Answer:
    try:
        return await get(settings.portal_url + _LIVE)
    except OSError as error:
        raise Unfit(_unreached(settings, error)) from error


async def _sockets(settings: Settings) -> str:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "cG9ydGFsLWRvY3Rvci0xNg==",
        "Origin": settings.portal_url,
    }
    try:
        status = (await get(settings.portal_url + _SOCKET, headers=headers)).status
    except OSError as error:
        raise Unfit(_unreached(settings, error)) from error
    if status == 101:
        return "websockets pass"
    wrong = f"Websockets do not pass PORTAL_URL (HTTP {status}): pages open and stay blank."
    do = "Let the proxy pass Upgrade and Connection on at /_event with HTTP/1.1, and leave Host and Origin as they are."
    if status == 403:
        do = "The portal refuses the origin: PORTAL_URL of the running web process must be this address."
    raise Unfit(Problem(wrong, do, "PORTAL_URL"))


def _unreached(settings: Settings, error: OSError) -> Problem:
    host = urlsplit(settings.portal_url).hostname
    if isinstance(error, socket.gaierror):
        wrong = f"The name {host} of PORTAL_URL is not known here."
        return Problem(wrong, "Add its DNS record, or correct PORTAL_URL.", "PORTAL_URL")
    if isinstance(error, ssl.SSLCertVerificationError):
        wrong = f"A browser does not trust the certificate of PORTAL_URL: {error.verify_message}."
        do = f"Give the proxy a valid certificate for {host}, with its whole chain."
        return Problem(wrong, do, "PORTAL_URL")
    if isinstance(error, ssl.SSLError):
        wrong = f"There is no TLS at PORTAL_URL: {error.reason or type(error).__name__}."
        return Problem(wrong, "Let the proxy speak TLS at this port.", "PORTAL_URL")
    wrong = f"Nobody answers at PORTAL_URL: {error.strerror or type(error).__name__}."
    return Problem(wrong, "Start the proxy, open its port, or correct PORTAL_URL.", "PORTAL_URL")
