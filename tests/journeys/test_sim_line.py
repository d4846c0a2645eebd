"""A customer looks at SIM lines: one with its data and days, and one that is not linked."""

import re
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import expect

from tests.journeys.test_every_page import findings_on

HANA, FAMILY = "hana@example.jp", "07039990103"


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
    assert findings_on(page, urlsplit(page.url).path) == []
    page.goto("/subscriptions")
    page.get_by_role("link", name="SIM 25GB Data only").click()
    expect(page.get_by_text("This service is not linked to its phone line yet.", exact=False)).to_be_visible()
    expect(page.get_by_text("070-3999-0104")).to_have_count(0)


def test_data_are_bought_at_the_price_on_the_button_and_the_money_trail_is_shown(visit) -> None:
    page = visit("/subscriptions", email=HANA, bypass_csp=True)
    page.get_by_role("link", name="SIM 10GB Data, SMS and voice").first.click()
    page.get_by_label("Data", exact=True).select_option("3")
    page.get_by_role("button", name="Add 3 GB for ¥1,650 with tax").click()
    expect(page.get_by_text("The data are on your line.")).to_be_visible()
    steps = page.get_by_role("list", name="Where money and data are").get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.filter(has_text="done")).to_have_count(3)
    expect(page.get_by_role("link", name="Open the invoice")).to_be_visible()
    path = urlsplit(page.url).path
    assert findings_on(page, path) == []
    page.goto(f"/ja{path}")
    expect(page.get_by_text("データが回線に追加されました。", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="3 GBを¥1,650（税込）で追加")).to_be_visible()


def test_automatic_top_up_goes_on_and_off_and_an_alert_goes_off_once_little_is_left(visit, demo) -> None:
    page = visit("/subscriptions", email=HANA, bypass_csp=True)
    page.get_by_role("link", name="SIM 5GB Data, SMS and voice (Family)").click()
    # Signing in was a proof of identity; it ends without one.
    turn_on = page.get_by_role("button", name="Turn on: 1 GB for ¥550 with tax each time")
    page.get_by_label("When data are left").select_option("at 256 MB or less")
    turn_on.click()
    expect(page.get_by_text("Limit a month", exact=True)).to_be_visible()
    page.get_by_role("button", name="Turn automatic top-up off").click()
    expect(turn_on).to_be_visible()
    page.get_by_label("Data left", exact=True).select_option("at 50% of the plan's data or less")
    expect(page.get_by_text("Saved: we tell you when it is reached.")).to_be_visible()
    httpx.post(f"{demo.office}/api/sim-lines/{FAMILY}/use", json={"mb": 6 * 1024}, timeout=60).raise_for_status()
    # Data that were bought let the line be read again.
    page.get_by_role("button", name="Add 1 GB for ¥550 with tax").click()
    expect(page.get_by_text("The data are on your line.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Went off "))).to_be_visible()
    assert findings_on(page, urlsplit(page.url).path) == []
    page.goto("/notifications")
    expect(page.get_by_text("Your alert: data left on your SIM line", exact=True)).to_have_count(1)
