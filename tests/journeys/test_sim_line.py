"""A customer looks at SIM lines: one with its data and days, and one that is not linked."""

import re

from playwright.sync_api import expect

from tests.journeys.test_every_page import findings_on

HANA = "hana@example.jp"


def test_a_line_shows_its_number_data_and_days_and_a_doubtful_one_shows_nothing(visit) -> None:
    page = visit("/subscriptions", email=HANA, bypass_csp=True)
    page.get_by_role("link", name="SIM 5GB Data, SMS and voice (Family)").click()
    expect(page.get_by_text("070-3999-0103", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[\d.]+ [GM]B left$"))).to_be_visible()
    expect(page.get_by_text("ends in 1038")).to_be_visible()
    expect(page.get_by_role("img", name="Data used each day")).to_be_visible()
    page.get_by_text("All days as a table").click()
    days = page.get_by_role("table", name="Data used each day")
    expect(days.get_by_role("row")).to_have_count(33)
    expect(days.get_by_text("unknown")).to_have_count(0)
    assert findings_on(page, "/subscriptions/[service_id]") == []
    page.goto("/subscriptions")
    page.get_by_role("link", name="SIM 25GB Data only").click()
    expect(page.get_by_text("This service is not linked to its phone line yet.", exact=False)).to_be_visible()
    expect(page.get_by_text("070-3999-0104")).to_have_count(0)
