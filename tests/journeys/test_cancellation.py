"""A customer cancels a service, sees how long that can be withdrawn, keeps it, and cancels it after all."""

import re

from playwright.sync_api import Page, expect

from portal_app.jobs.demo_customers import PASSWORD
from tests.journeys.test_every_page import findings_on
from tests.journeys.test_security import let_the_proof_age
from tests.support.running.demo import BEN, Demo

SERVICE = "/subscriptions/1"


def test_a_service_is_cancelled_with_two_questions_kept_and_cancelled_again(visit, demo: Demo) -> None:
    page = visit(SERVICE, email=BEN, bypass_csp=True, may_miss=True)
    ask(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Confirm that you know what ends.")).to_be_visible()
    page.get_by_label("I know what ends").check()
    page.get_by_role("button", name="Go on").click()
    let_the_proof_age(demo)
    confirm(page)
    asked = page.get_by_role("dialog", name="Confirm that it is you")
    asked.get_by_label("Password", exact=True).fill(PASSWORD)
    asked.get_by_role("button", name="Confirm").click()
    page.wait_for_url(f"**{SERVICE}")
    expect(page.get_by_text(re.compile("This service ends on"))).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"\d+ (days|hours|minutes), \d+"))
    assert "Last day" in demo.mail(BEN, "Cancelled:")
    assert findings_on(page, SERVICE) == []
    page.goto("/dashboard")
    expect(page.get_by_text("You cancelled it.")).to_be_visible()
    page.goto(SERVICE)
    withdraw(page)
    assert "You withdrew" in demo.mail(BEN, "stays")
    ask(page)
    page.get_by_label("I know what ends").check()
    page.get_by_role("button", name="Go on").click()
    confirm(page)
    page.wait_for_url(f"**{SERVICE}")
    withdraw(page)
    page.goto("/notifications")
    expect(page.get_by_text("You keep your service: the cancellation is withdrawn").first).to_be_visible()


def test_what_is_told_is_chosen_and_a_calendar_follows_due_dates(visit) -> None:
    page = visit("/account/notifications", email=BEN, may_miss=True)
    box = page.get_by_label("Cards: By mail")
    box.uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.reload()
    expect(box).not_to_be_checked()
    page.get_by_role("button", name="Make a calendar link").click()
    link = page.locator("#calendar-link").inner_text()
    assert "BEGIN:VCALENDAR" in page.request.get(link).text()
    page.get_by_role("button", name="End the link").first.click()
    page.get_by_role("dialog", name="End the link?").get_by_role("button", name="End the link").click()
    expect(page.get_by_role("button", name="Make a calendar link")).to_be_visible()
    assert page.request.get(link).status == 404


def ask(page: Page) -> None:
    """Go to the form and say why."""
    page.get_by_role("link", name="Cancel this service").click()
    page.wait_for_url(f"**{SERVICE}/cancel")
    page.get_by_label("Why do you cancel?").select_option("price")


def confirm(page: Page) -> None:
    """Answer the second question."""
    question = page.get_by_role("dialog", name="Cancel this service?")
    question.get_by_role("button", name="Cancel this service").click()


def withdraw(page: Page) -> None:
    """Take it back."""
    page.get_by_role("button", name="Withdraw the cancellation").click()
    page.get_by_role("dialog", name="Keep this service?").get_by_role("button", name="Keep the service").click()
    expect(page.get_by_text("You keep this service")).to_be_visible()
