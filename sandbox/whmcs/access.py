"""Who may call: the address rule, the credentials and the role of each (fact sheet 1.2 to 1.4)."""

import hmac

from sandbox.whmcs.installation import Installation, Request

FOREIGN = "203.0.113.9"


def refusal(whmcs: Installation, request: Request, address: str) -> tuple[str, int] | None:
    """Return message and status of the first check that fails, in WHMCS's order; None lets the call in."""
    word = request.text("action").lower()
    if not word:
        return "Empty action request", 400
    special = whmcs.faults.settings_of("whmcs").special
    address = FOREIGN if special.get("foreign_ip") else address
    if not _is_listed(whmcs, request, address):
        return f"Invalid IP {address}", 403
    role = _role(whmcs, request)
    if role is None:
        return "Invalid or missing credentials", 403
    if special.get(f"forbid_{word}") or (role and word not in role):
        return f'Invalid Permissions: API action "{word}" is not allowed', 403
    return None


def _is_listed(whmcs: Installation, request: Request, address: str) -> bool:
    """Compare exactly: WHMCS knows neither wildcards nor ranges. The one star means that nobody asks."""
    listed = {part.strip() for part in whmcs.settings.whmcs_addresses.split(",")}
    if _same(request.text("accesskey"), whmcs.settings.whmcs_access_key):
        return True
    return address in listed or ("*" in listed and address != FOREIGN)


def _role(whmcs: Installation, request: Request) -> frozenset[str] | None:
    """Return the actions a credential may call, none meaning all; None for a wrong credential."""
    own = whmcs.settings
    narrow = frozenset(part.strip().lower() for part in own.whmcs_role.split(",") if part.strip())
    known = (
        (own.whmcs_identifier, own.whmcs_secret, narrow),
        (own.whmcs_admin_identifier, own.whmcs_admin_secret, frozenset[str]()),
    )
    for identifier, secret in (("identifier", "secret"), ("username", "password")):
        for name, password, role in known:
            if _same(request.text(identifier), name) and _same(request.text(secret), password):
                return role
    return None


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
