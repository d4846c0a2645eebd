"""Single sign-on: tokens handed out by the API and redeemed once by a browser."""

import re
import secrets
from urllib.parse import urlsplit

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request
from sandbox.whmcs.people import clients_of

TOKEN_SECONDS = 60
_CUSTOM = "sso:custom_redirect"
_SERVICE_PAGES = {"clientarea:product_details": "service_id", "clientarea:domain_details": "domain_id"}
_PAGES = {
    "clientarea:profile": "clientarea.php?action=details",
    "clientarea:billing_info": "index.php/account/paymentmethods",
    "clientarea:invoices": "clientarea.php?action=invoices",
    "clientarea:services": "clientarea.php?action=services",
    "clientarea:product_details": "clientarea.php?action=productdetails",
}
_AREAS = (
    "emails", "announcements", "downloads", "knowledgebase", "network_status", "domains", "domain_details", "tickets",
    "submit_ticket", "shopping_cart", "shopping_cart_addons", "shopping_cart_domain_register",
    "shopping_cart_domain_transfer",
)  # fmt: skip
_DESTINATIONS = {*_PAGES, *(f"clientarea:{area}" for area in _AREAS), _CUSTOM}


def create_sso_token(whmcs: Installation, request: Request) -> Document:
    """CreateSsoToken for a client, a user or both. The token lives 60 s and works once."""
    client, user = _parties(whmcs, request)
    target = _target(request)
    token = secrets.token_hex(20)
    party = {"client_id": client["id"] if client else None, "user_id": user["id"]}
    whmcs.store.put("whmcs.sso_token", token, party | {"target": target, "issued_at": _now(whmcs)})
    return {"access_token": token, "redirect_url": f"{whmcs.url}/oauth/singlesignon.php?access_token={token}"}


def redeem(whmcs: Installation, token: str) -> Document | None:
    """Take a token out of the store; None when it is unknown, used or older than 60 s."""
    with whmcs.store.transaction():
        found = whmcs.store.get("whmcs.sso_token", token)
        whmcs.store.delete("whmcs.sso_token", token)
    if found is None or not 0 <= _now(whmcs) - found["issued_at"] <= TOKEN_SECONDS:
        return None
    return found


def is_relative(path: str) -> bool:
    """Say whether a redirect path stays inside the installation."""
    parts = urlsplit(path)
    outside = path.startswith(("/", "\\")) or ".." in parts.path or re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]*:", path)
    return bool(path) and not outside and not re.search(r"[\x00-\x20\\]", path)


def _now(whmcs: Installation) -> float:
    return whmcs.clock.now().timestamp()


def _parties(whmcs: Installation, request: Request) -> tuple[Document | None, Document]:
    client = whmcs.row("client", request.number("client_id")) if request.has("client_id") else None
    if request.has("client_id") and client is None:
        raise Refused("Invalid client_id")
    if client is None and not request.has("user_id"):
        raise Refused("A valid client_id or user_id is required")
    user = whmcs.row("user", request.number("user_id", client["owner_user_id"] if client else 0))
    if user is None:
        raise Refused("Invalid user_id")
    if client and client["id"] not in [row["id"] for row in clients_of(whmcs, user)]:
        raise Refused("Invalid user_id for client")
    if client and (not client["allow_sso"] or whmcs.faults.take_special("whmcs", "sso_blocked")):
        raise Refused(f"SSO authentication blocked for client {client['id']}")
    return client, user


def _target(request: Request) -> str:
    destination = request.text("destination")
    if destination and destination not in _DESTINATIONS:
        raise Refused("Invalid destination")
    if destination == _CUSTOM:
        if not is_relative(request.text("sso_redirect_path")):
            raise Refused("Invalid destination")
        return request.text("sso_redirect_path")
    needed = _SERVICE_PAGES.get(destination)
    if needed and not request.has(needed):
        raise Refused("Invalid destination")
    page = _PAGES.get(destination, "clientarea.php")
    return f"{page}&id={request.number('service_id')}" if needed else page


ACTIONS = {"CreateSsoToken": create_sso_token}
