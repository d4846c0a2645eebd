"""Health and mail actions of the API."""

import re
from datetime import datetime

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request, page
from sandbox.whmcs.php import Malformed, Value, unserialize

_KINDS = ("general", "product", "domain", "invoice", "support", "affiliate")
# Name: type, subject, message.
_TEMPLATES = {
    "Automated Password Reset": ("general", "Your new password", "<p>Dear {$client_name}</p>"),
    "Client Signup Email": ("general", "Welcome", "<p>Dear {$client_name}, welcome.</p>"),
    "Invoice Created": ("invoice", "Customer Invoice", "<p>Dear {$client_name}, an invoice was made.</p>"),
    "Invoice Payment Reminder": ("invoice", "Invoice Payment Reminder", "<p>Dear {$client_name}, please pay.</p>"),
    "Other Product/Service Welcome Email": ("product", "New Product Information", "<p>Dear {$client_name}</p>"),
    "Service Suspension Notification": ("product", "Service Suspended", "<p>{$service_suspension_reason}</p>"),
}
_NOTIFICATION = {
    "notification_identifier": "identifier string to be passed",
    "title": "title to be provided",
    "message": "message to be provided",
}
_REFUSED = ("Automated Password Reset",)
_DISABLED = ("Service Suspension Notification",)
_RELATED = {"product": ("service", "clientid"), "invoice": ("invoice", "userid")}


def whmcs_details(whmcs: Installation, request: Request) -> Document:
    """WhmcsDetails: the cheapest health check."""
    version = "8.13.1" if whmcs.faults.level("whmcs", "whmcs_8") else "9.0.3"
    return {"whmcs": {"version": version, "canonicalversion": f"{version}-release.1"}}


def send_email(whmcs: Installation, request: Request) -> Document:
    """SendEmail by template name, or with a custom message; customvars replace {$name} in either."""
    name, kind = request.text("messagename"), request.text("customtype")
    if not name and not kind:
        raise Refused("You must provide either an existing email template name or a custom message type")
    template = _template(name) if name else _custom(request)
    try:
        values = unserialize(request.text("customvars")) if request.text("customvars") else {}
    except Malformed as error:
        raise Refused("The custom variables you provided are invalid.") from error
    client = _related_client(whmcs, request, template["type"])
    if client is None:
        raise Refused("A related ID is required")
    texts = {part: _filled(template[part], client, values) for part in ("subject", "message")}
    whmcs.add("email", {"userid": client["id"], "date": whmcs.stamp(), "to": client["email"], **texts})
    return {}


def get_email_templates(whmcs: Installation, request: Request) -> Document:
    """GetEmailTemplates, narrowed by type; numbers are texts."""
    wanted = request.text("type")
    rows = [
        {"id": str(place), "name": name, "subject": subject, "custom": ""}
        for place, (name, (kind, subject, _)) in enumerate(_TEMPLATES.items(), 1)
        if wanted in ("", kind)
    ]
    answer: Document = {"totalresults": str(len(rows))}
    return answer | ({"emailtemplates": {"emailtemplate": rows}} if rows else {})


def log_activity(whmcs: Installation, request: Request) -> Document:
    """LogActivity: never refused."""
    entry = {"description": request.text("description"), "userid": request.number("clientid")}
    whmcs.add("activity", entry | {"date": whmcs.stamp(), "username": "admin", "ipaddress": "127.0.0.1"})
    return {}


def get_activity_log(whmcs: Installation, request: Request) -> Document:
    """GetActivityLog, newest first: numbers are texts, and numreturned is not told."""
    rows = whmcs.rows("activity")[::-1]
    if request.text("clientid"):
        rows = [row for row in rows if row["userid"] == request.number("clientid")]
    for name, field in (("user", "username"), ("ipaddress", "ipaddress")):
        if request.text(name):
            rows = [row for row in rows if row.get(field) == request.text(name)]
    if request.text("description"):
        rows = [row for row in rows if request.text("description").lower() in row["description"].lower()]
    if request.text("date"):
        rows = [row for row in rows if f"{datetime.fromisoformat(row['date']):%d/%m/%Y}" == request.text("date")]
    cut, counters = page(rows, request)
    shown = [row | {name: str(row[name]) for name in ("id", "userid")} for row in cut]
    answer: Document = {name: str(counters[name]) for name in ("totalresults", "startnumber")}
    return answer | ({"activity": {"entry": shown}} if shown else {})


def trigger_notification_event(whmcs: Installation, request: Request) -> Document:
    """TriggerNotificationEvent: kept, as nobody has a rule for it here."""
    for name, called in _NOTIFICATION.items():
        if not request.text(name):
            raise Refused(f"API Notification Events require a {called}.")
    names = (*_NOTIFICATION, "url", "status", "statusStyle")
    attributes = list(request.array("attributes").values())
    whmcs.add("notification", {name: request.text(name) for name in names} | {"attributes": attributes})
    return {}


def get_emails(whmcs: Installation, request: Request) -> Document:
    """GetEmails: its error stands under status instead of result."""
    client = whmcs.row("client", request.number("clientid"))
    if client is None:
        return {"status": "error", "message": "Client ID Not Found"}
    cut, counters = page(whmcs.rows("email", userid=client["id"])[::-1], request)
    rows = [row | {"cc": "", "bcc": "", "attachments": "", "pending": 0, "failed": 0, "retry_count": 0} for row in cut]
    return counters | ({"emails": {"email": rows}} if rows else {})


def _template(name: str) -> Document:
    if name in _REFUSED or name not in _TEMPLATES:
        raise Refused("Email Template not found")
    if name in _DISABLED:
        raise Refused("Email Template is disabled")
    kind, subject, message = _TEMPLATES[name]
    return {"type": kind, "subject": subject, "message": message}


def _custom(request: Request) -> Document:
    if request.text("customtype") not in _KINDS:
        raise Refused("Invalid message type provided")
    if not request.text("customsubject"):
        raise Refused("A subject is required for a custom message")
    if not request.text("custommessage"):
        raise Refused("A message body is required for a custom message")
    texts = {"subject": request.text("customsubject"), "message": request.text("custommessage")}
    return texts | {"type": request.text("customtype")}


def _filled(text: str, client: Document, values: Value) -> str:
    known = {"client_name": f"{client['firstname']} {client['lastname']}"} | (
        values if isinstance(values, dict) else {}
    )
    return re.sub(r"\{\$(\w+)\}", lambda match: str(known.get(match[1], "")), text)


def _related_client(whmcs: Installation, request: Request, template_type: str) -> Document | None:
    kind, owner = _RELATED.get(template_type, ("client", "id"))
    row = whmcs.row(kind, request.number("id"))
    return whmcs.row("client", row[owner]) if row else None


ACTIONS = {
    "WhmcsDetails": whmcs_details,
    "SendEmail": send_email,
    "GetEmailTemplates": get_email_templates,
    "GetEmails": get_emails,
    "LogActivity": log_activity,
    "GetActivityLog": get_activity_log,
    "TriggerNotificationEvent": trigger_notification_event,
}
