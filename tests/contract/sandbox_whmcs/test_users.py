"""Sign-in, users, their clients and permissions (WHMCS fact sheet 2.2 and 5)."""

import uuid

import pytest

PASSWORD = "walk-the-portal-1"


@pytest.fixture
async def somebody(whmcs):
    """A user without any client: id and address."""
    email = f"{uuid.uuid4().hex}@example.jp"
    names = {"firstname": "Gen", "lastname": "Abe", "email": email, "password2": "correct horse"}
    return (await whmcs.call("AddUser", **names))["user_id"], email


async def test_right_password_gives_the_users_id_and_a_hash(whmcs):
    answer = await whmcs.call("ValidateLogin", email="Chie@Example.jp", password2=PASSWORD)

    user = (await whmcs.call("GetUsers", search="chie@example.jp"))["users"][0]
    assert answer.keys() == {"result", "userid", "passwordhash", "twoFactorEnabled"}
    assert (answer["userid"], answer["twoFactorEnabled"]) == (str(user["id"]), "false")
    assert user["clients"] == [{"id": 3, "isOwner": True}]
    assert (await whmcs.call("GetClientsDetails", clientid=3))["client"]["lastlogin"].startswith("Date: ")


async def test_second_factor_withholds_the_hash(whmcs):
    answer = await whmcs.call("ValidateLogin", email="daichi@example.jp", password2=PASSWORD)

    assert answer == {"result": "success", "userid": answer["userid"], "twoFactorEnabled": "true"}


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "chie@example.jp", "password2": "wrong"},
        {"email": "nobody@example.jp", "password2": PASSWORD},
        {"email": "chie@example.jp", "password2": f"{PASSWORD} "},
        {"email": "chie@example.jp"},
        {},
    ],
)
async def test_every_failed_sign_in_reads_alike(whmcs, fields):
    assert await whmcs.error("ValidateLogin", **fields) == "Email or Password Invalid"


async def test_user_who_owns_nothing_may_act_for_another_client(whmcs):
    emi = (await whmcs.call("GetUsers", search="emi@example.jp"))["users"][0]
    both = {"user_id": emi["id"], "client_id": 2}

    assert emi["clients"] == [{"id": 2, "isOwner": False}]
    held = (await whmcs.call("GetUserPermissions", **both))["permissions"]["permission"]
    assert held == ["profile", "products", "invoices"]
    users = (await whmcs.call("GetClientsDetails", clientid=2))["client"]["users"]["user"]
    assert [user["is_owner"] for user in users] == [True, False]
    assert (await whmcs.call("CreateSsoToken", **both))["result"] == "success"


async def test_permissions_are_changed_and_taken_away(whmcs):
    emi = (await whmcs.call("GetUsers", search="emi@example.jp"))["users"][0]["id"]
    both = {"user_id": emi, "client_id": 2}
    restored = {"permissions": "profile,products,invoices"}

    await whmcs.call("UpdateUserPermissions", **both, permissions="invoices, nonsense")
    held = (await whmcs.call("GetUserPermissions", **both))["permissions"]["permission"]
    await whmcs.call("UpdateUserPermissions", **both, **restored)

    assert held == ["invoices"]
    assert await whmcs.error("UpdateUserPermissions", **both) == "Missing permissions definition"
    owner = {"user_id": 2, "client_id": 2}
    assert await whmcs.error("UpdateUserPermissions", **owner, permissions="invoices") == (
        "Permissions cannot be set on a client owner"
    )
    assert await whmcs.error("DeleteUserClient", **owner) == "You cannot remove the account owner"


async def test_permission_errors_are_the_documented_ones(whmcs, somebody):
    user, _ = somebody

    assert await whmcs.error("GetUserPermissions", user_id=99999, client_id=2) == "Invalid user id"
    assert await whmcs.error("GetUserPermissions", user_id=user, client_id=99999) == "Invalid client id"
    assert await whmcs.error("GetUserPermissions", user_id=user, client_id=2) == "User is not associated with client"
    assert await whmcs.error("CreateSsoToken", user_id=user, client_id=2) == "Invalid user_id for client"


async def test_list_of_permissions_answers_under_status(whmcs):
    answer = await whmcs.call("GetPermissionsList")

    assert answer["status"] == "success" and "result" not in answer
    assert len(answer["permissions"]["permission"]) == 13


async def test_user_is_added_once_and_renamed(whmcs, somebody):
    user, email = somebody

    changed = await whmcs.call("UpdateUser", user_id=user, firstname="Kenji")

    assert changed["user_id"] == user
    assert (await whmcs.call("GetUsers", search=email))["users"][0]["firstname"] == "Kenji"
    taken = {"firstname": "A", "lastname": "B", "email": email.upper(), "password2": "x"}
    assert await whmcs.error("AddUser", **taken) == "A user already exists with that email address"
    assert await whmcs.error("AddUser", **taken | {"password2": ""}) == "You did not enter a password"
    assert await whmcs.error("UpdateUser", user_id=user) == (
        "One of `email`, `firstname`, `lastname`, or `language` is required"
    )
    assert await whmcs.error("UpdateUser", user_id=user, email="no") == "The email address entered is not valid"


async def test_client_can_be_added_for_a_user_who_exists(whmcs, somebody, person):
    user, _ = somebody
    fields = person() | {"owner_user_id": user}
    del fields["password2"]

    client = await whmcs.call("AddClient", **fields)

    assert (await whmcs.call("GetClientsDetails", clientid=client["clientid"]))["client"]["owner_user_id"] == int(user)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Please enter the email address or provide the id"),
        ({"email": "nonsense"}, "Please provide a valid email address"),
        ({"email": "nobody@example.jp"}, "User Not Found"),
        ({"id": "99999"}, "User Not Found"),
    ],
)
async def test_password_reset_refuses_in_documented_words(whmcs, fields, message):
    assert await whmcs.error("ResetPassword", **fields) == message


async def test_password_reset_answers_nothing(whmcs):
    assert await whmcs.call("ResetPassword", email="chie@example.jp") == {"result": "success"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Email is required"),
        ({"email": "a@example.jp"}, "Invalid client id"),
        ({"email": "nonsense", "client_id": "2"}, "The email address entered is not valid"),
        ({"email": "a@example.jp", "client_id": "2"}, "User permissions are required"),
        ({"email": "emi@example.jp", "client_id": "2", "permissions": "orders"}, "User already associated with client"),
    ],
)
async def test_invitation_refuses_in_documented_words(whmcs, fields, message):
    assert await whmcs.error("CreateClientInvite", **fields) == message
