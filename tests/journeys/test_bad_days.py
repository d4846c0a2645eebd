"""Vendors away: pages answer from saved data, orders are handed over later. The line is dead: the customer is told."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from portal_app.local.browser import find_browser
from tests.journeys.conftest import FLAGS
from tests.support.running.demo import AIKO, BEN, Demo, fill_details, sign_in
from tests.support.running.gate import gate_to
from tests.support.waiting import LONGEST_SECONDS


@pytest.fixture(autouse=True)
def _well_again(demo: Demo) -> Iterator[None]:
    yield
    demo.set_faults("whmcs")
    demo.set_faults("salesforce")


def test_saved_invoices_are_shown_with_their_age_while_billing_is_away(visit, demo: Demo) -> None:
    page = visit("/billing/invoices", email=BEN)
    expect(page.get_by_role("link", name="Invoice 2")).to_be_visible()
    demo.set_faults("whmcs", down=True)
    # The list is kept for a while: another customer's view does not help, so look until the saved data show.
    page.goto("/billing/invoices/2")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice")
    page.goto("/billing/payments")
    expect(page.get_by_text(re.compile("not answering|Saved data|stored|ending"))).to_be_visible()


def test_an_order_placed_while_salesforce_is_away_is_received_and_goes_on_later(visit, demo: Demo) -> None:
    page = visit("/checkout?plan=VPN-REMOTE-ACCESS-UK-LONDON", email=BEN)
    _until_ready(page)
    demo.set_faults("salesforce", down=True)
    page.get_by_label("I have read and accept the").check()
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
    expect(page.get_by_text("Your order is safe with us.")).to_be_visible()
    demo.set_faults("salesforce")
    expect(page.get_by_text("In review", exact=True).first).to_be_visible(timeout=60_000)


def test_sign_up_while_billing_is_away_says_so_and_finishes_by_itself(visit, demo: Demo) -> None:
    email = f"patient.{time.time_ns()}@example.jp"
    page = visit("/auth/signup")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the code").click()
    page.get_by_label("Code").fill(demo.code(email))
    page.get_by_role("button", name="Continue").click()
    fill_details(page)
    demo.set_faults("whmcs", down=True)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/dashboard")
    expect(page.get_by_text("What you entered is saved")).to_be_visible()
    demo.set_faults("whmcs")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hana")
    expect(page.get_by_text("What you entered is saved")).to_be_hidden(timeout=60_000)


def test_a_press_on_a_dead_line_is_told_and_one_while_the_notice_stands_is_carried_out(
    browser: Browser, demo: Demo
) -> None:
    with gate_to(demo.url) as (gate, _):
        rule = f"--host-resolver-rules=MAP {urlsplit(demo.url).netloc} 127.0.0.1:{gate.port}"
        chromium = browser.browser_type.launch(executable_path=find_browser(), args=[*FLAGS, rule])
        page = chromium.new_page(base_url=demo.url)
        sign_in(page, AIKO)
        page.goto("/account")
        page.get_by_label("Phone").fill("12")
        gate.fall_silent(also_to_new=True)
        save = page.get_by_role("button", name="Save").first
        save.click()
        lost, unsent = (
            page.get_by_text("The connection was lost"),
            page.get_by_text("before your last action was received"),
        )
        expect(lost).to_be_visible(timeout=60_000)
        expect(unsent).to_be_visible()
        refusal = page.get_by_text(re.compile("Enter a Japanese phone number"))
        expect(refusal).to_be_hidden()
        save.click()
        gate.open()
        expect(refusal).to_be_visible()
        expect(lost).to_be_hidden()
        expect(page.get_by_label("Phone")).to_have_value("12")
        page.get_by_role("button", name="Close").click()
        expect(unsent).to_be_hidden()
        chromium.close()


def _until_ready(page: Page) -> None:
    """Press "Try again" as a customer would: after an outage the portal looks at a vendor again every few seconds."""
    place, again = page.get_by_role("button", name="Place order"), page.get_by_role("button", name="Try again")
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        expect(place.or_(again)).to_be_visible()
        if place.is_visible():
            return
        again.click()
        page.wait_for_timeout(500)
    raise AssertionError("the checkout did not come back")
