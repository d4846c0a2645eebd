"""An account's protection, walked through: two-step sign-in, recovery code, passkey, devices, history."""

import re
import time
from uuid import uuid4

import psycopg
import pyotp
from playwright.sync_api import Page, expect

from portal_app.jobs.demo_customers import PASSWORD
from tests.support.running.demo import BEN, Demo, sign_in
from tests.support.values.people import ADDRESS, PERSON

NEW_PASSWORD = "seven green apples"


def test_two_step_sign_in_and_a_recovery_code(visit, demo: Demo) -> None:
    page, email = a_new_customer(visit, demo)
    page.goto("/account/security")
    let_the_proof_age(demo)
    page.get_by_role("button", name="Turn on two-step sign-in").click()
    confirm_with_password(page, email)
    expect(page.get_by_alt_text("QR code with the key")).to_be_visible()
    totp = pyotp.TOTP(page.locator("code").inner_text().replace(" ", ""))
    page.get_by_label("Code from your app").fill("000000" if totp.now() != "000000" else "111111")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("That code does not match")).to_be_visible()
    page.get_by_label("Code from your app").fill(full_width(code_at(totp, -1)))
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator("#recovery-codes li")
    expect(codes).to_have_count(10)
    recovery = codes.nth(4).inner_text()
    page.get_by_role("button", name="I have kept them").click()
    expect(codes).to_have_count(0)
    stand_before_the_second_step(page, email)
    code = code_at(totp, 0)
    page.get_by_label("Code from your app").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard")
    stand_before_the_second_step(page, email)
    page.get_by_text("Your app is not at hand?").click()
    page.get_by_label("Recovery code").fill(full_width(recovery.replace("-", " ")))
    page.get_by_role("button", name="Use this code").click()
    page.wait_for_url("**/dashboard")
    assert "codes left: 9" in demo.mail(email, "recovery code was used")


def test_with_two_steps_a_code_comes_before_a_new_password_and_before_turning_it_off(visit, demo: Demo) -> None:
    page, email = a_new_customer(visit, demo)
    codes = turn_on_two_step(page, demo)
    let_the_proof_age(demo)
    page.goto("/account/password")
    page.get_by_role("button", name="Confirm that it is you").click()
    expect(page.get_by_role("dialog", name="Confirm that it is you")).to_be_visible()
    # A question that is left does not come along.
    page.goto("/account/security/history")
    expect(page.get_by_text("Two-step sign-in turned on").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/account/password")
    expect(page.get_by_role("button", name="Confirm that it is you")).to_be_visible()
    expect(page.get_by_label("Present password")).to_have_count(0)
    page.get_by_role("button", name="Confirm that it is you").click()
    confirm_with(page, codes[0])
    # What password managers file the new password under.
    expect(page.locator("input[autocomplete=username]")).to_have_value(email)
    page.get_by_label("Present password").fill(NEW_PASSWORD)
    page.get_by_label("New password").fill("nine red oranges")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    let_the_proof_age(demo)
    page.goto("/account/security")
    page.get_by_role("button", name="Turn off", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Turn it off").click()
    confirm_with(page, codes[1])
    expect(page.get_by_role("button", name="Turn on two-step sign-in")).to_be_visible()
    assert "only for your password" in demo.mail(email, "sign-in is off")


def test_what_takes_data_along_or_leads_into_billing_asks_who_it_is_and_then_goes_on(visit, demo: Demo) -> None:
    page = visit("/billing/invoices", email=BEN)
    let_the_proof_age(demo)
    page.get_by_role("button", name="Download as CSV").click()
    asked = page.get_by_role("dialog", name="Confirm that it is you")
    asked.get_by_label("Password", exact=True).fill(PASSWORD)
    with page.expect_download() as download:
        asked.get_by_role("button", name="Confirm").click()
    assert download.value.suggested_filename == "invoices.csv"
    page.goto("/ja/billing/payments")
    let_the_proof_age(demo)
    page.get_by_role("button", name="お支払い方法を追加").click()
    asked = page.get_by_role("dialog", name="ご本人の確認")
    asked.get_by_label("パスワード", exact=True).fill(PASSWORD)
    asked.get_by_role("button", name="確認する", exact=True).click()
    page.wait_for_url("**/whmcs/**")


def test_a_passkey_signs_in_and_confirms_and_is_removed(visit, demo: Demo) -> None:
    page, email = a_new_customer(visit, demo)
    with_virtual_authenticator(page)
    page.goto("/account/security")
    page.get_by_label("Name of a new passkey").fill("My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("My phone")).to_be_visible()
    expect(page.get_by_text("not used yet")).to_be_visible()
    assert "My phone" in demo.mail(email, "passkey was added")
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.wait_for_url("**/auth/login*")
    page.get_by_role("button", name="Use a passkey instead").click()
    page.wait_for_url("**/dashboard")
    page.goto("/account/security")
    expect(page.get_by_text(re.compile("last used"))).to_be_visible()
    let_the_proof_age(demo)
    page.get_by_role("button", name="Edit My phone").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Work phone")
    page.get_by_role("button", name="Save the name").click()
    page.get_by_role("button", name="Confirm with a passkey").click()
    expect(page.get_by_text("Work phone")).to_be_visible()
    turn_on_two_step(page, demo)
    stand_before_the_second_step(page, email)
    page.get_by_role("button", name="Use a passkey instead").click()
    page.wait_for_url("**/dashboard")
    page.goto("/account/security")
    page.get_by_role("button", name="Edit Work phone").click()
    page.get_by_role("button", name="Remove this passkey").click()
    expect(page.get_by_text("Work phone")).to_have_count(0)
    page.goto("/account/security/history")
    for words in ("Passkey removed", "Passkey renamed", "Passkey added", "Confirmed it was you", "Signed in"):
        expect(page.get_by_text(words, exact=True).first).to_be_visible()


def test_a_device_is_signed_out_from_another_and_its_tab_goes_dark(visit, demo: Demo) -> None:
    page, email = a_new_customer(visit, demo)
    other = visit("/auth/login", user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605")
    sign_in(other, email, NEW_PASSWORD)
    assert "iPhone" in demo.mail(email, "New sign-in")
    other.goto("/account")
    expect(other.get_by_text(email)).to_be_visible()
    page.goto("/account/security")
    expect(page.get_by_text("This device")).to_be_visible()
    page.get_by_role("button", name=re.compile("Sign out: Safari · iPhone")).click()
    other.wait_for_url("**/auth/login*")
    assert email not in other.inner_text("body")
    expect(page.get_by_text("Safari · iPhone")).to_have_count(0)
    expect(page.get_by_text("This device")).to_be_visible()


def a_new_customer(visit, demo: Demo) -> tuple[Page, str]:
    """Sign somebody up through the API, with the browser's own cookies."""
    email = f"safe.{time.time_ns()}@example.jp"
    page = visit("/")
    post(page, demo, "/api/auth/signup", email=email)
    post(page, demo, "/api/auth/signup/verify", code=demo.code(email))
    details = {**ADDRESS, **PERSON, "password": NEW_PASSWORD, "terms": "on"}
    post(page, demo, "/api/auth/signup/complete", **details)
    return page, email


def turn_on_two_step(page: Page, demo: Demo) -> list[str]:
    """Turn it on through the API, with the browser's own cookies; return the recovery codes."""
    begun = post(page, demo, "/api/me/two-step")
    done = post(page, demo, "/api/me/two-step/confirm", code=pyotp.TOTP(begun["key"]).now())
    return done["recovery_codes"]


def post(page: Page, demo: Demo, path: str, **body: str) -> dict:
    headers = {"Origin": demo.url, "Idempotency-Key": uuid4().hex}
    answer = page.request.post(path, data=body, headers=headers)
    assert answer.ok, answer.text()
    return answer.json()


def let_the_proof_age(demo: Demo) -> None:
    """Make every session's last proof an hour older."""
    with psycopg.connect(demo.database_url(), autocommit=True) as database:
        database.execute("UPDATE sessions SET confirmed_at = confirmed_at - interval '1 hour'")


def confirm_with_password(page: Page, email: str) -> None:
    """Answer the dialog, which names the account, wrongly once."""
    asked = page.get_by_role("dialog", name="Confirm that it is you")
    expect(asked.get_by_text(email)).to_be_visible()
    expect(asked.locator("input[autocomplete=username]")).to_have_value(email)
    for password in (PASSWORD, NEW_PASSWORD):
        asked.get_by_label("Password", exact=True).fill(password)
        asked.get_by_role("button", name="Confirm").click()
        if password == PASSWORD:
            expect(asked.get_by_text("That is not your password.")).to_be_visible()
    expect(asked).to_have_count(0)


def confirm_with(page: Page, code: str) -> None:
    """Answer the dialog with a code that was not used yet."""
    asked = page.get_by_role("dialog", name="Confirm that it is you")
    asked.get_by_label("Code from your app").fill(code)
    asked.get_by_role("button", name="Confirm").click()
    expect(asked).to_have_count(0)


def code_at(totp: pyotp.TOTP, steps: int) -> str:
    return totp.generate_otp(int(time.time()) // 30 + steps)


def full_width(text: str) -> str:
    """Write a text as a Japanese keyboard does."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def stand_before_the_second_step(page: Page, email: str) -> None:
    page.context.clear_cookies()
    page.goto("/auth/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/auth/second-step*")


def with_virtual_authenticator(page: Page) -> None:
    """Give this browser a security key of its own that verifies its owner at once."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})
