"""Clients and users as rows: what they hold and how they are shown by the API."""

import hashlib
import hmac
import re
import secrets
import uuid

from sandbox.store import Document
from sandbox.whmcs.installation import Installation
from sandbox.whmcs.money import CURRENCY_CODE, CURRENCY_ID, decimal, formatted

CUSTOM_FIELDS = {"198": "Customer Number", "199": "Date of Birth", "200": "Gender", "201": "Nationality"}
IDENTITY = ("firstname", "lastname", "companyname", "email", "address1", "address2", "city", "state", "postcode")
CALLING_CODES = {"JP": "81", "US": "1", "GB": "44", "IE": "353", "DE": "49", "FR": "33", "AU": "61", "CA": "1"}
COUNTRIES = {"JP": "Japan", "US": "United States", "GB": "United Kingdom", "IE": "Ireland", "DE": "Germany"}
_ADDRESS = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")
HOME_COUNTRY = "JP"
PREFERENCES = ("general", "invoice", "support", "product", "domain", "affiliate")


def new_client(whmcs: Installation, owner: Document, fields: Document) -> Document:
    """Insert a client owned by a user, with defaults for what the fields leave out."""
    defaults = {
        **dict.fromkeys((*IDENTITY, "phonenumber"), ""), "country": HOME_COUNTRY,
        "owner_user_id": owner["id"], "uuid": str(uuid.uuid4()), "tax_id": "",
        "notes": "", "defaultgateway": "stripe", "groupid": 0, "status": "Active", "credit": 0, "language": "english",
        "customfields": {}, "email_preferences": dict.fromkeys(PREFERENCES, "1"), "allow_sso": 1, "marketing": False,
        "taxexempt": False, "separateinvoices": False, "latefeeoveride": False, "overideduenotices": False,
        "disableautocc": False, "overrideautoclose": False,
        "datecreated": whmcs.today().isoformat(), "lastlogin": "No Login Logged",
    }  # fmt: skip
    return whmcs.add("client", defaults | fields)


def new_user(whmcs: Installation, fields: Document, password: str) -> Document:
    """Insert a user with a hashed password."""
    person = {name: fields.get(name, "") for name in ("firstname", "lastname", "email")}
    secret = {"password": hash_password(password), "two_factor": False, "datecreated": whmcs.today().isoformat()}
    return whmcs.add("user", person | secret)


def hash_password(password: str) -> str:
    """Return salt and scrypt digest of a password as hex."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_digest(password, salt)}"


def password_matches(password: str, stored: str) -> bool:
    """Compare a password with what hash_password returned."""
    salt, digest = stored.split(":")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), digest)


def user_by_email(whmcs: Installation, email: str) -> Document | None:
    """Find a user by exact address, without regard to case."""
    return next((row for row in whmcs.rows("user") if row["email"].lower() == email.lower()), None)


def client_by_email(whmcs: Installation, email: str) -> Document | None:
    """Find a client by exact address, without regard to case."""
    return next((row for row in whmcs.rows("client") if row["email"].lower() == email.lower()), None)


def is_address(text: str) -> bool:
    """Say whether a text looks like an e-mail address."""
    return _ADDRESS.match(text) is not None


def matches(row: Document, wanted: str) -> bool:
    """Say whether an address or a name of a client or user begins with the wanted lower-case text."""
    names = [row["email"], row["firstname"], row["lastname"], _name(row), row.get("companyname", "")]
    return any(text.lower().startswith(wanted) for text in names)


def add_member(whmcs: Installation, client: Document, user: Document, permissions: list[str]) -> None:
    """Let a user who is not the owner act for a client."""
    whmcs.add("membership", {"client_id": client["id"], "user_id": user["id"], "permissions": permissions})


def membership(whmcs: Installation, user_id: int, client_id: int) -> Document | None:
    """Return the row that lets a user who is not the owner act for a client."""
    return next(iter(whmcs.rows("membership", user_id=user_id, client_id=client_id)), None)


def clients_of(whmcs: Installation, user: Document) -> list[Document]:
    """Return the clients a user may act for: the owned ones first."""
    owned = whmcs.rows("client", owner_user_id=user["id"])
    joined = [whmcs.row("client", row["client_id"]) for row in whmcs.rows("membership", user_id=user["id"])]
    return owned + [row for row in joined if row]


def client_shown(whmcs: Installation, client: Document) -> Document:
    """Return the client as GetClientsDetails shows it."""
    owner = whmcs.row("user", client["owner_user_id"]) or {}
    number = client["id"]
    code = CALLING_CODES.get(client["country"], "")
    local = client["phonenumber"].split(".", 1)[-1] if client["phonenumber"].startswith("+") else client["phonenumber"]
    telephone = f"+{code}.{local.lstrip('0') if code == '81' else local}" if local else ""
    fields = [{"id": int(key), "value": client["customfields"].get(key, "")} for key in CUSTOM_FIELDS]
    people = [owner, *(whmcs.row("user", row["user_id"]) for row in whmcs.rows("membership", client_id=number))]
    users = [
        {"id": person["id"], "name": _name(person), "email": person["email"], "is_owner": person is owner}
        for person in people
        if person
    ]
    return {
        "client_id": number, "owner_user_id": client["owner_user_id"], "userid": number, "id": number,
        "uuid": client["uuid"], "firstname": client["firstname"], "lastname": client["lastname"],
        "fullname": _name(client), "companyname": client["companyname"], "email": client["email"],
        "address1": client["address1"], "address2": client["address2"], "city": client["city"],
        "fullstate": client["state"], "state": client["state"], "statecode": client["state"],
        "postcode": client["postcode"], "countrycode": client["country"], "country": client["country"],
        "countryname": COUNTRIES.get(client["country"], client["country"]), "phonenumber": client["phonenumber"],
        "phonecc": code, "phonenumberformatted": telephone, "telephoneNumber": telephone, "tax_id": client["tax_id"],
        "email_preferences": client["email_preferences"], "billingcid": 0, "notes": client["notes"],
        "currency": CURRENCY_ID, "currency_code": CURRENCY_CODE, "defaultgateway": client["defaultgateway"],
        "groupid": client["groupid"], "status": client["status"], "credit": decimal(client["credit"]),
        "taxexempt": client["taxexempt"], "latefeeoveride": client["latefeeoveride"],
        "overideduenotices": client["overideduenotices"], "separateinvoices": client["separateinvoices"],
        "disableautocc": client["disableautocc"], "emailoptout": False, "marketing_emails_opt_in": client["marketing"],
        "isOptedInToMarketingEmails": client["marketing"], "overrideautoclose": client["overrideautoclose"],
        "allowSingleSignOn": client["allow_sso"], "email_verified": True, "language": client["language"],
        "lastlogin": client["lastlogin"], "customfields": fields,
        **{f"customfields{place}": field["value"] for place, field in enumerate(fields, 1)},
        "users": {"user": users},
    }  # fmt: skip


def credit_row(whmcs: Installation, client: Document, amount: int, *, description: str, relid: int = 0) -> None:
    """Change a client's credit balance by an amount (hundredths, signed) and note it in the credit log."""
    client["credit"] += amount
    whmcs.save("client", client)
    entry = {"clientid": client["id"], "date": whmcs.today().isoformat(), "description": description}
    whmcs.add("credit", entry | {"amount": amount, "relid": relid})


def stats_shown(whmcs: Installation, client: Document, totals: dict[str, list[int]]) -> Document:
    """Return the stats block. totals: amounts owed or paid by invoice status, with Overdue counted besides Unpaid."""
    services = whmcs.rows("service", clientid=client["id"])
    active = sum(row["status"] in ("Active", "Suspended") for row in services)
    stats: Document = {
        "numdueinvoices": len(totals["Unpaid"]), "dueinvoicesbalance": formatted(sum(totals["Unpaid"])),
        "incredit": client["credit"] > 0, "creditbalance": formatted(client["credit"]),
        "grossRevenue": formatted(sum(totals["Paid"])), "expenses": formatted(0),
        "income": formatted(sum(totals["Paid"])), "numoverdueinvoices": len(totals["Overdue"]),
        "overdueinvoicesbalance": formatted(sum(totals["Overdue"])), "numDraftInvoices": len(totals["Draft"]),
        "draftInvoicesBalance": formatted(sum(totals["Draft"])),
    }  # fmt: skip
    for status in ("Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending"):
        word = status.replace(" ", "").lower()
        stats |= {f"num{word}invoices": len(totals[status]), f"{word}invoicesamount": formatted(sum(totals[status]))}
    zero = ("numactivedomains", "numdomains", "numacceptedquotes", "numquotes", "numtickets", "numactivetickets")
    counts = {"productsnumactive": active, "productsnumtotal": len(services), "productsnumactiveother": active}
    return stats | counts | dict.fromkeys(zero, 0) | {"numaffiliatesignups": 0, "isAffiliate": False}


def _digest(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**10, r=8, p=1).hex()


def _name(person: Document) -> str:
    return f"{person.get('firstname', '')} {person.get('lastname', '')}".strip()
