"""Health and mail actions of the API."""

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request, page

_KINDS = ("general", "product", "domain", "invoice", "support", "affiliate")
_RELATED = {"product": ("service", "clientid"), "invoice": ("invoice", "userid")}


def whmcs_details(whmcs: Installation, request: Request) -> Document:
    """WhmcsDetails: the cheapest health check."""
    return {"whmcs": {"version": "9.0.3", "canonicalversion": "9.0.3-release.1"}}


def send_email(whmcs: Installation, request: Request) -> Document:
    """SendEmail with a custom message; this installation has no templates."""
    if not request.text("messagename") and not request.text("customtype"):
        raise Refused("You must provide either an existing email template name or a custom message type")
    if request.text("messagename"):
        raise Refused("Email Template not found")
    if request.text("customtype") not in _KINDS:
        raise Refused("Invalid message type provided")
    if not request.text("customsubject"):
        raise Refused("A subject is required for a custom message")
    if not request.text("custommessage"):
        raise Refused("A message body is required for a custom message")
    client = _related_client(whmcs, request)
    if client is None:
        raise Refused("A related ID is required")
    texts = {"subject": request.text("customsubject"), "message": request.text("custommessage")}
    whmcs.add("email", {"userid": client["id"], "date": whmcs.stamp(), "to": client["email"], **texts})
    return {}


def get_emails(whmcs: Installation, request: Request) -> Document:
    """GetEmails: its error stands under status instead of result."""
    client = whmcs.row("client", request.number("clientid"))
    if client is None:
        return {"status": "error", "message": "Client ID Not Found"}
    cut, counters = page(whmcs.rows("email", userid=client["id"])[::-1], request)
    rows = [row | {"cc": "", "bcc": "", "attachments": "", "pending": 0, "failed": 0, "retry_count": 0} for row in cut]
    return counters | ({"emails": {"email": rows}} if rows else {})


def _related_client(whmcs: Installation, request: Request) -> Document | None:
    kind, owner = _RELATED.get(request.text("customtype"), ("client", "id"))
    row = whmcs.row(kind, request.number("id"))
    return whmcs.row("client", row[owner]) if row else None


ACTIONS = {"WhmcsDetails": whmcs_details, "SendEmail": send_email, "GetEmails": get_emails}
