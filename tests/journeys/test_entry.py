"""Getting into an account with a password: forgotten, changed, locked, and brought along from billing."""

import re
import time

from playwright.sync_api import Page, expect

from tests.support.running.demo import AIKO, Demo, fill_details, sign_in

BILLING_PASSWORD, NEW_PASSWORD = "walk-the-portal-1", "seven green apples"
CHIE, EMI = "chie@example.jp", "emi@example.jp"


def test_a_forgotten_password_is_replaced_by_a_mailed_link(visit, demo: Demo) -> None:
    email = _newcomer(visit, demo)
    page = visit("/auth/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_role("heading", name="Forgot your password?").wait_for()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("is on its way")).to_be_visible()
    page.goto(demo.link(email, "new"))
    expect(page.get_by_text(email)).to_be_visible()
    expect(page.locator("input[autocomplete=username]")).to_have_value(email)
    page.get_by_label("New password").fill("passwordpassword")
    # The token leaves the address as soon as the page has it.
    expect(page).to_have_url(re.compile(r"/auth/set-password$"))
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("easy to guess")).to_be_visible()
    expect(page.locator("input[autocomplete=username]")).to_have_value(email)
    page.get_by_label("New password").fill("nine red oranges")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    sign_in(page, email, "nine red oranges")


def test_an_existing_customer_moves_here_with_their_billing_password(visit, demo: Demo) -> None:
    page = _at_billing_password(visit, demo, CHIE)
    page.get_by_label("Password of your billing account").fill("wrong horse battery")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Tries left: 4")).to_be_visible()
    page.get_by_label("Password of your billing account").fill(BILLING_PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Your services and bills stay")).to_be_visible()
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="Hello, Chie Mori")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_text("C00000003")).to_be_visible()


def test_somebody_who_owns_no_billing_account_is_told_in_japanese_too(visit, demo: Demo) -> None:
    page = _at_billing_password(visit, demo, EMI)
    page.goto("/ja/auth/billing-password")
    page.get_by_label("請求アカウントのパスワード").fill(BILLING_PASSWORD)
    page.get_by_role("button", name="次へ").click()
    expect(page.get_by_text("所有者は別の方です")).to_be_visible()


def test_a_changed_password_signs_the_other_device_out(visit, demo: Demo) -> None:
    email = _newcomer(visit, demo)
    other = visit("/auth/login")
    sign_in(other, email, NEW_PASSWORD)
    page = visit("/auth/login")
    sign_in(page, email, NEW_PASSWORD)
    page.goto("/account/password")
    page.get_by_label("Present password").fill(NEW_PASSWORD)
    page.get_by_label("New password").fill("nine red oranges")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your other devices are signed out")).to_be_visible()
    other.wait_for_url("**/auth/login*")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url("**/auth/login*")


def test_wrong_code_and_tries_are_told_in_japanese(visit) -> None:
    page = visit("/ja/auth/signup")
    page.get_by_label("メールアドレス").fill(f"new.{time.time_ns()}@example.jp")
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/ja/auth/verify*")
    page.locator("input[name=code]").fill("000000")
    page.locator("form[action$=verify] button[type=submit]").click()
    expect(page.get_by_text("コードが違います。残り4回です。").first).to_be_visible()


def test_a_dead_link_says_so_and_offers_a_new_one(visit) -> None:
    page = visit("/auth/set-password#not-a-token-of-ours")
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("This link has been used or has run out")).to_be_visible()
    expect(page.get_by_role("button", name="Send the link")).to_be_visible()
    sign_in(page, AIKO)


def _newcomer(visit, demo: Demo) -> str:
    email = f"new.{time.time_ns()}@example.jp"
    page = visit("/auth/signup")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the code").click()
    page.wait_for_url("**/auth/verify*")
    page.get_by_label("Code").fill(demo.code(email))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/auth/details*")
    fill_details(page)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/dashboard")
    return email


def _at_billing_password(visit, demo: Demo, email: str) -> Page:
    page = visit("/auth/migrate")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the code").click()
    page.wait_for_url("**/auth/verify*")
    page.get_by_label("Code").fill(demo.code(email))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="You are our customer already")).to_be_visible()
    return page
