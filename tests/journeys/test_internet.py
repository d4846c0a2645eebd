"""Fibre: an address where there is none, a new one where there is, and the line ordered there."""

import re
import time

from playwright.sync_api import Page, expect

from tests.journeys.test_every_page import findings_on, post
from tests.journeys.test_first_order import adds_a_card, signs_up
from tests.support.running.demo import Demo
from tests.support.values.people import ADDRESS

PLAN = "INTERNET-GOLD-HOME-1G"


def test_a_customer_moves_to_where_fibre_is_and_orders_it_there(visit, demo: Demo) -> None:
    email = f"fibre.{time.time_ns()}@example.jp"
    page = visit("/", bypass_csp=True, may_miss=True, viewport={"width": 390, "height": 900})
    signs_up(page, demo, email)
    page.goto("/catalog/internet")
    page.get_by_role("button", name="Check my address").dblclick()
    _expect_announced(page, demo, email, [], "Fibre is not available at your address")
    expect(page.get_by_text("Not available at your address.").first).to_be_visible()
    _moves(page)
    page.goto(f"/checkout?plan={PLAN}")
    page.wait_for_url("**/checkout/address")
    page.goto("/checkout/phone")
    page.wait_for_url("**/checkout/address")
    page.get_by_role("button", name="Check my address").click()
    _expect_announced(page, demo, email, ["Home 1G"], "Fibre is available at your address")
    _answers(page)
    _orders(page, demo)


def _expect_announced(page: Page, demo: Demo, email: str, offers: list[str], words: str) -> None:
    """The page left open moves by itself when the agent has answered; a mail tells it too."""
    expect(page.get_by_text("We are checking your address").first).to_be_visible()
    account = demo.pending_check()
    demo.answer_check(account, offers, note="Looked up at the operator.")
    expect(page.get_by_text(words).first).to_be_visible()
    expect(page.get_by_text("Looked up at the operator.")).to_be_visible()
    assert demo.mail(email, "is available at your address" if offers else "is not available at your address")


def _moves(page: Page) -> None:
    """Change the address; what was found for the old one is void at once."""
    post(page, "/api/me/address", method="PATCH", **ADDRESS)
    expect(page.get_by_role("button", name="Check my address")).to_be_visible()


def _answers(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Confirm that this is where the line is to be installed.")).to_be_visible()
    page.get_by_label("The line is to be installed at this address").check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/checkout/connection")
    assert findings_on(page, "/checkout/connection") == []
    page.get_by_label("24 payments of ¥950 a month").check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/checkout/phone")
    assert findings_on(page, "/checkout/phone") == []
    page.get_by_label("Home phone (Hikari Denwa)").check()
    page.get_by_label("Yes, switch it over").check()
    page.get_by_label("Switch number").fill("X1234567890")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Enter the letter F or T")).to_be_visible()
    page.get_by_label("Switch number").fill("t 12345-67890")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/checkout?plan=*")


def _orders(page: Page, demo: Demo) -> None:
    expect(page.get_by_text("24 monthly payments")).to_be_visible()
    expect(page.get_by_text("Approval number ending in 7890")).to_be_visible()
    adds_a_card(page)
    page.get_by_label("I have read and accept the").check()
    page.get_by_role("button", name="Place order").dblclick()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
    expect(page.get_by_text("In review", exact=True).first).to_be_visible()
    newest = max(demo.orders(), key=lambda order: order["number"])
    demo.decide(newest["id"], "approve")
    expect(page.get_by_text("Your internet line is working. Its invoice is under Billing.")).to_be_visible()
    page.goto("/catalog/internet")
    expect(page.get_by_text("You have internet already.").first).to_be_visible()
