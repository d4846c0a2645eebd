"""Users: sign-in, the clients they act for and their permissions there (fact sheet 2.2 and 5)."""

import re
import secrets

from sandbox.store import Document
from sandbox.whmcs.installation import Installation, Refused, Request, page
from sandbox.whmcs.people import (
    clients_of,
    is_address,
    matches,
    membership,
    new_user,
    password_matches,
    user_by_email,
)

PERMISSIONS = (
    "profile", "contacts", "products", "manageproducts", "productsso", "domains", "managedomains", "invoices",
    "quotes", "tickets", "affiliates", "emails", "orders",
)  # fmt: skip
_TAKEN = "A user already exists with that email address"
_NOT_VALID = "The email address entered is not valid"
_REQUIRED = {
    "firstname": "You did not enter a first name",
    "lastname": "You did not enter a last name",
    "email": "You did not enter an email address",
    "password2": "You did not enter a password",
}


def validate_login(whmcs: Installation, request: Request) -> Document:
    """ValidateLogin: one error for an unknown address and a wrong password; with a second factor no passwordhash."""
    user = user_by_email(whmcs, request.text("email"))
    if user is None or not password_matches(str(request.fields.get("password2", "")), user["password"]):
        raise Refused("Email or Password Invalid")
    if user["two_factor"]:
        return {"userid": str(user["id"]), "twoFactorEnabled": "true"}
    for client in clients_of(whmcs, user):
        seen = f"Date: {whmcs.now():%d/%m/%Y %H:%M}<br>IP Address: 127.0.0.1<br>Host: localhost"
        whmcs.save("client", client | {"lastlogin": seen})
    return {"userid": str(user["id"]), "passwordhash": secrets.token_hex(20), "twoFactorEnabled": "false"}


def get_users(whmcs: Installation, request: Request) -> Document:
    """GetUsers: a flat list, each with the clients the user may act for."""
    wanted = request.text("search").lower()
    rows = [row for row in whmcs.rows("user") if matches(row, wanted)]
    rows.sort(key=lambda row: row["id"], reverse=request.text("sorting").upper() == "DESC")
    cut, counters = page(rows, request)
    return counters | {"users": [_shown(whmcs, row) for row in cut]}


def add_user(whmcs: Installation, request: Request) -> Document:
    """AddUser: somebody who may sign in and owns nothing yet."""
    for name, message in _REQUIRED.items():
        if not request.text(name):
            raise Refused(message)
    _check_address(whmcs, request.text("email"))
    fields = {name: request.text(name) for name in ("firstname", "lastname", "email")}
    user = new_user(whmcs, fields, str(request.fields["password2"]))
    whmcs.hook("UserAdd", user_id=user["id"])
    return {"user_id": str(user["id"])}


def update_user(whmcs: Installation, request: Request) -> Document:
    """UpdateUser: names, address and language; no action sets an existing user's password."""
    user = whmcs.required("user", request.number("user_id"), "Invalid User ID requested")
    changes = {name: request.text(name) for name in ("firstname", "lastname", "email", "language") if request.has(name)}
    if not changes:
        raise Refused("One of `email`, `firstname`, `lastname`, or `language` is required")
    if changes.get("email", user["email"]).lower() != user["email"].lower():
        _check_address(whmcs, changes["email"])
    whmcs.save("user", user | changes)
    whmcs.hook("UserEdit", user_id=user["id"])
    return {"user_id": request.text("user_id")}


def reset_password(whmcs: Installation, request: Request) -> Document:
    """ResetPassword: mails a link; says so plainly when nobody has the address."""
    if not request.has("email") and not request.has("id"):
        raise Refused("Please enter the email address or provide the id")
    if request.has("email") and not is_address(request.text("email")):
        raise Refused("Please provide a valid email address")
    by_id = whmcs.row("user", request.number("id"))
    user = user_by_email(whmcs, request.text("email")) if request.has("email") else by_id
    if user is None:
        raise Refused("User Not Found")
    link = f"{whmcs.url}/index.php?rp=/password/reset/use/key/{secrets.token_hex(32)}"
    mail = {"userid": 0, "date": whmcs.stamp(), "to": user["email"], "subject": "Password Reset Validation"}
    whmcs.add("email", mail | {"message": f"<p>Reset your password: {link}</p>"})
    return {}


def get_user_permissions(whmcs: Installation, request: Request) -> Document:
    """GetUserPermissions: an owner has them all."""
    user, client = _pair(whmcs, request)
    held = _held(whmcs, user, client)
    return {"permissions": {"permission": held}}


def update_user_permissions(whmcs: Installation, request: Request) -> Document:
    """UpdateUserPermissions from a comma-separated list; unknown words are dropped."""
    user, client = _pair(whmcs, request)
    _held(whmcs, user, client)
    if client["owner_user_id"] == user["id"]:
        raise Refused("Permissions cannot be set on a client owner")
    if not request.text("permissions"):
        raise Refused("Missing permissions definition")
    row = membership(whmcs, user["id"], client["id"]) or {}
    whmcs.save("membership", row | {"permissions": _permissions(request)})
    return {}


def get_permissions_list(whmcs: Installation, request: Request) -> Document:
    """GetPermissionsList: answers under status instead of result."""
    return {"status": "success", "permissions": {"permission": list(PERMISSIONS)}}


def create_client_invite(whmcs: Installation, request: Request) -> Document:
    """CreateClientInvite: a mail whose link only a browser can follow."""
    if not request.text("email"):
        raise Refused("Email is required")
    client = whmcs.required("client", request.number("client_id"), "Invalid client id")
    if not is_address(request.text("email")):
        raise Refused(_NOT_VALID)
    if not request.text("permissions"):
        raise Refused("User permissions are required")
    user = user_by_email(whmcs, request.text("email"))
    if user and client["id"] in [row["id"] for row in clients_of(whmcs, user)]:
        raise Refused("User already associated with client")
    invite = {"client_id": client["id"], "email": request.text("email"), "permissions": _permissions(request)}
    whmcs.add("invite", invite | {"token": secrets.token_hex(32)})
    return {}


def delete_user_client(whmcs: Installation, request: Request) -> Document:
    """DeleteUserClient: the user may no longer act for the client."""
    user, client = _pair(whmcs, request)
    if client["owner_user_id"] == user["id"]:
        raise Refused("You cannot remove the account owner")
    row = membership(whmcs, user["id"], client["id"])
    if row is None:
        raise Refused("User is not associated with client")
    whmcs.remove("membership", row["id"])
    return {}


def _check_address(whmcs: Installation, email: str) -> None:
    if not is_address(email):
        raise Refused(_NOT_VALID)
    if user_by_email(whmcs, email):
        raise Refused(_TAKEN)


def _pair(whmcs: Installation, request: Request) -> tuple[Document, Document]:
    user = whmcs.required("user", request.number("user_id"), "Invalid user id")
    client = whmcs.required("client", request.number("client_id"), "Invalid client id")
    return user, client


def _held(whmcs: Installation, user: Document, client: Document) -> list[str]:
    if client["owner_user_id"] == user["id"]:
        return list(PERMISSIONS)
    row = membership(whmcs, user["id"], client["id"])
    if row is None:
        raise Refused("User is not associated with client")
    return list(row["permissions"])


def _permissions(request: Request) -> list[str]:
    wanted = re.split(r"\s*,\s*", request.text("permissions").lower())
    return [name for name in PERMISSIONS if name in wanted]


def _shown(whmcs: Installation, user: Document) -> Document:
    clients = [{"id": row["id"], "isOwner": row["owner_user_id"] == user["id"]} for row in clients_of(whmcs, user)]
    names = ("id", "firstname", "lastname", "email", "datecreated")
    return {name: user[name] for name in names} | {"validationdata": "", "clients": clients}


ACTIONS = {
    "ValidateLogin": validate_login,
    "GetUsers": get_users,
    "AddUser": add_user,
    "UpdateUser": update_user,
    "ResetPassword": reset_password,
    "GetUserPermissions": get_user_permissions,
    "UpdateUserPermissions": update_user_permissions,
    "GetPermissionsList": get_permissions_list,
    "CreateClientInvite": create_client_invite,
    "DeleteUserClient": delete_user_client,
}
