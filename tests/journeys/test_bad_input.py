"""Bad input gets a clear error beside its field, and nothing typed is lost."""

import re
import time

import httpx
from playwright.sync_api import Page, expect

from tests.support.running.demo import BEN, Demo


def test_a_wrong_sign_in_says_so_and_keeps_the_address(visit) -> None:
    page = visit("/auth/login?next=%2Fbilling%2Finvoices")
    page.get_by_label("E-mail").fill(BEN)
    page.get_by_label("Password", exact=True).fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("do not match")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(BEN)
    page.get_by_label("Password", exact=True).fill("correct-horse-battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/billing/invoices")


def test_a_wrong_code_counts_down_and_a_new_one_works(visit, demo: Demo) -> None:
    page, email = _at_code(visit)
    code = demo.code(email)
    page.get_by_label("Code").fill("000000" if code != "000000" else "111111")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Tries left: 4").first).to_be_visible()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your details")).to_be_visible()


def test_missing_and_malformed_details_are_told_beside_their_fields(visit, demo: Demo) -> None:
    page, email = _at_code(visit)
    page.get_by_label("Code").fill(demo.code(email))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("First name", exact=True).fill("Hana")
    page.get_by_label("Phone").fill("12345")
    page.get_by_label("Postcode").fill("9999999")
    expect(page.get_by_text("We do not know this postcode")).to_be_visible()
    page.get_by_label("Prefecture").select_option("東京都")
    page.get_by_label("City or ward", exact=True).fill("港区")
    # The browser would stop this form itself; a stubborn one must get the same answers from us.
    page.evaluate("document.querySelector('form[action$=complete]').noValidate = true")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Enter your last name.")).to_be_visible()
    expect(page.get_by_text("Enter a Japanese phone number")).to_be_visible()
    expect(page.get_by_text("Use at least 12 characters").first).to_be_visible()
    expect(page.get_by_label("First name", exact=True)).to_have_value("Hana")
    expect(page.get_by_label("City or ward", exact=True)).to_have_value("港区")
    assert httpx.get(f"{demo.office}/api/whmcs/clients").text.count(email) == 0


def test_a_known_address_gets_the_same_screen_and_a_helpful_mail(visit, demo: Demo) -> None:
    page = visit("/auth/signup")
    page.get_by_label("E-mail").fill(BEN)
    page.get_by_role("button", name="Send the code").click()
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    assert "It already has one" in demo.mail(BEN, "already have")


def test_anothers_order_invoice_and_service_are_not_found(visit, demo: Demo) -> None:
    page = visit("/billing/invoices/2", email="aiko@example.jp")
    for path in ("/billing/invoices/2", "/subscriptions/1", "/orders/00000000-0000-4000-8000-000000000000"):
        page.goto(path)
        expect(page.get_by_text("We could not find that")).to_be_visible()
    for path in ("/api/invoices/2", "/api/subscriptions/1", "/api/orders/00000000-0000-4000-8000-000000000000"):
        assert page.request.get(path).status == 404


def _at_code(visit) -> tuple[Page, str]:
    email = f"new.{time.time_ns()}@example.jp"
    page = visit("/auth/signup")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the code").click()
    page.wait_for_url(re.compile("/auth/verify"))
    return page, email
