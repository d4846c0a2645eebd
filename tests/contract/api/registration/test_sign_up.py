"""Signing up by native forms: an e-mail, its code, the details."""

from uuid import uuid4

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.api_steps import DETAILS, flash_of
from tests.support.clients.visitor import Visitor, mailed
from tests.support.running.world import BEN


@pytest.fixture
def email() -> str:
    return f"hana-{uuid4().hex[:12]}@example.jp"


async def begin(visitor: Visitor, worker: Portal, email: str) -> str:
    """Ask for a code and return it."""
    answer = await visitor.submit("/api/auth/signup", email=email)
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/verify")
    return (await mailed(worker, email))["code"]


async def prove(visitor: Visitor, worker: Portal, email: str) -> None:
    """Begin and prove the mailbox."""
    code = await begin(visitor, worker, email)
    answer = await visitor.submit("/api/auth/signup/verify", code=code)
    assert answer.headers["location"] == "/auth/details"


async def test_a_proven_mailbox_and_details_make_an_account(visitor: Visitor, worker: Portal, email: str) -> None:
    await prove(visitor, worker, email)
    answer = await visitor.submit("/api/auth/signup/complete", **DETAILS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    assert not visitor.cookie("signup")
    account = (await visitor.get("/api/me")).json()
    assert account == {
        "name": "Hana Mori",
        "email": email,
        "customer_number": None,
        "status": "setting_up",
        "language": "en",
        "profile": None,
    }


async def test_a_wrong_code_says_how_many_tries_are_left(
    visitor: Visitor, portal: Portal, worker: Portal, email: str
) -> None:
    code = await begin(visitor, worker, email)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    flash = await flash_of(portal, await visitor.submit("/api/auth/signup/verify", code=wrong), "/auth/verify")
    assert flash["code"] == "That is not the code. Tries left: 4."


async def test_a_new_code_replaces_the_old_one(visitor: Visitor, portal: Portal, worker: Portal, email: str) -> None:
    old = await begin(visitor, worker, email)
    answer = await visitor.submit("/api/auth/signup/resend")
    assert answer.headers["location"] == "/auth/verify"
    new = (await mailed(worker, email))["code"]
    if old != new:
        await flash_of(portal, await visitor.submit("/api/auth/signup/verify", code=old), "/auth/verify")
    answer = await visitor.submit("/api/auth/signup/verify", code=new)
    assert answer.headers["location"] == "/auth/details"


async def test_wrong_details_return_to_the_form_without_the_password(
    visitor: Visitor, portal: Portal, worker: Portal, email: str
) -> None:
    await prove(visitor, worker, email)
    answer = await visitor.submit("/api/auth/signup/complete", **{**DETAILS, "postcode": "12", "password": "short"})
    assert set(await flash_of(portal, answer, "/auth/details")) == {"form", "postcode", "password"}
    progress = await portal.registration.sign_ups.progress(visitor.cookie("signup"))
    assert progress.entries["first_name"] == "Hana" and progress.entries["postcode"] == "12"
    assert "password" not in progress.entries and set(progress.errors) == {"postcode", "password"}


async def test_details_without_a_proven_mailbox_restart_the_sign_up(
    visitor: Visitor, portal: Portal, worker: Portal, email: str
) -> None:
    await begin(visitor, worker, email)
    answer = await visitor.submit("/api/auth/signup/complete", **DETAILS)
    await flash_of(portal, answer, "/auth/signup")
    assert not visitor.cookie("access")


async def test_an_expired_sign_up_restarts(visitor: Visitor, portal: Portal) -> None:
    flash = await flash_of(portal, await visitor.submit("/api/auth/signup/verify", code="123456"), "/auth/signup")
    assert flash["form"].startswith("This sign-up has run out.")


async def test_a_malformed_address_is_an_error_of_its_field(visitor: Visitor, portal: Portal) -> None:
    flash = await flash_of(portal, await visitor.submit("/api/auth/signup", email="hana@"), "/auth/signup")
    assert flash["email"].startswith("Enter an e-mail address") and flash["typed:email"] == "hana@"


async def test_a_known_address_gets_a_mail_that_says_so(visitor: Visitor, worker: Portal) -> None:
    answer = await visitor.submit("/api/auth/signup", email=BEN)
    assert answer.headers["location"] == "/auth/verify"
    assert (await mailed(worker, BEN))["occasion"] == "already_registered"


async def test_the_japanese_pages_stay_japanese(visitor: Visitor, email: str) -> None:
    answer = await visitor.submit("/api/auth/signup", page="/ja/auth/signup", email=email)
    assert answer.headers["location"] == "/ja/auth/verify"


async def test_sign_up_works_over_json(visitor: Visitor, worker: Portal, email: str) -> None:
    assert (await visitor.call("POST", "/api/auth/signup", {"email": email})).json() == {"next": "/auth/verify"}
    code = (await mailed(worker, email))["code"]
    assert (await visitor.call("POST", "/api/auth/signup/verify", {"code": code})).status_code == 200
    answer = await visitor.call("POST", "/api/auth/signup/complete", DETAILS)
    assert (answer.status_code, answer.json()) == (200, {"next": "/dashboard"})


async def test_an_account_being_set_up_gets_a_retry_after(visitor: Visitor, worker: Portal, email: str) -> None:
    await prove(visitor, worker, email)
    await visitor.submit("/api/auth/signup/complete", **DETAILS)
    answer = await visitor.get("/api/invoices")
    assert (answer.status_code, answer.json()["code"]) == (409, "account_not_ready")
    assert int(answer.headers["retry-after"]) > 0
