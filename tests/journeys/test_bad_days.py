"""Vendors away: pages answer from saved data with their age, orders are taken and handed over later."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.running.demo import BEN, Demo, fill_details


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
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hana", timeout=60_000)
    expect(page.get_by_text("What you entered is saved")).to_be_hidden(timeout=60_000)


def _until_ready(page: Page) -> None:
    """Press "Try again" as a customer would: after an outage the portal looks at a vendor again every few seconds."""
    place, again = page.get_by_role("button", name="Place order"), page.get_by_role("button", name="Try again")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        expect(place.or_(again)).to_be_visible()
        if place.is_visible():
            return
        again.click()
        page.wait_for_timeout(500)
    raise AssertionError("the checkout did not come back")
