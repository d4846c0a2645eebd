"""A voice SIM with a number brought along: the steps, what they refuse, and what survives."""

import re
from datetime import date, timedelta
from urllib.parse import quote, urlsplit

from playwright.sync_api import Page, Request, expect

from tests.journeys.test_every_page import findings_on
from tests.support.running.demo import BEN, Demo
from tests.support.values.documents import picture

PLAN = "SIM-DATA-VOICE-10GB"
EID = "8904 9032 0000 0100 0000 0123 4567 8954"
HOLDER = {
    "number": "090-1234-5678",
    "reservation_number": "12-345-67890",
    "last_name": "Carter",
    "first_name": "Ben",
    "last_name_kana": "かーたー",
    "first_name_kana": "ﾍﾞﾝ",
    "birth_date": "1988-03-04",
}


def test_a_customer_brings_a_number_along_on_an_esim(visit, demo: Demo) -> None:
    page = visit(
        f"/checkout?plan={PLAN}", email=BEN, viewport={"width": 390, "height": 900}, bypass_csp=True, may_miss=True
    )
    page.wait_for_url("**/checkout/sim")
    elsewhere = visit("/checkout/sim", email=BEN)
    expect(elsewhere.get_by_label("eSIM")).to_be_visible()
    _answers_about_the_sim(page)
    # A tab that had the step open shows the answer given here, not its own first one.
    elsewhere.reload()
    expect(elsewhere.get_by_label("eSIM")).to_be_checked()
    assert findings_on(page, "/checkout/number") == []
    _answers_about_the_number(page)
    expect(page.get_by_text("You keep the number ending in 5678")).to_be_visible()
    # The draft is on the server: another tab of another browser goes on where this one is.
    elsewhere.goto(f"/checkout?plan={PLAN}")
    expect(elsewhere.get_by_text("EID ending in 8954")).to_be_visible()
    assert findings_on(page, f"/checkout?plan={PLAN}") == []
    _sends_a_document(page)
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_text("Accept the terms of service to order.")).to_be_visible()
    page.get_by_label("I have read and accept the").check()
    page.get_by_role("button", name="Place order").dblclick()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
    expect(page.get_by_text("In review", exact=True).first).to_be_visible()
    _says_who_is_awaited(page, demo)
    # The steps of a checkout that is over lead out of it.
    page.goto("/checkout/number")
    page.wait_for_url("**/catalog")


def test_a_step_that_is_not_due_leads_to_the_one_that_is(visit) -> None:
    page = visit("/checkout?plan=SIM-DATA-ONLY-5GB", email=BEN)
    page.wait_for_url("**/checkout/sim")
    page.goto("/checkout/number")
    page.wait_for_url("**/checkout/sim")
    page.goto("/checkout")
    page.wait_for_url("**/checkout/sim")
    page.goto("/catalog/sim")
    page.get_by_role("link", name=re.compile("Choose")).first.click()
    page.wait_for_url("**/checkout/sim")
    page.go_back()
    page.wait_for_url("**/catalog/sim")


def _says_who_is_awaited(page: Page, demo: Demo) -> None:
    """Approve the order while the document is being checked, then refuse the document; the open page follows."""
    demo.decide(max(demo.orders(), key=lambda order: order["number"])["id"], "approve")
    heading = page.locator("main header")
    expect(heading.get_by_text("With our team", exact=True)).to_be_visible()
    expect(page.get_by_text("Your document is being checked")).to_be_visible()
    demo.decide_identity("C00000002", "reject")
    expect(heading.get_by_text("Waiting for you", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Send a document")).to_be_visible()
    expect(page.get_by_text("With our team", exact=True)).to_have_count(0)


def _hands_in(request: Request) -> bool:
    return request.method == "POST" and urlsplit(request.url).path == "/api/me/identity-document"


def _sends_a_document(page: Page) -> None:
    """Hand a document in: nothing can be ordered before."""
    expect(page.get_by_role("button", name="Place order")).to_be_disabled()
    page.get_by_role("link", name="Send a document").click()
    page.wait_for_url("**/account/verification?next=*")
    assert findings_on(page, f"/account/verification?next={quote(f'/checkout?plan={PLAN}', safe='')}") == []
    field = page.get_by_label("Photo or scan of the document")
    field.set_input_files({"name": "card.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    expect(page.get_by_text("Use a JPG, PNG or PDF file.")).to_be_visible()
    # Another file takes the place of the first.
    field.set_input_files({"name": "card.png", "mimeType": "image/png", "buffer": picture("PNG")})
    expect(page.get_by_text("Ready to be sent", exact=True)).to_be_visible()
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if _hands_in(request) else None)
    page.get_by_role("button", name="Send the document").click()
    page.wait_for_url(f"**/checkout?plan={PLAN}")
    page.go_back()
    expect(page.get_by_text("Being checked", exact=True).first).to_be_visible()
    page.go_forward()
    page.wait_for_url(f"**/checkout?plan={PLAN}")
    assert len(posted) == 1


def _answers_about_the_sim(page: Page) -> None:
    page.get_by_label("eSIM").check()
    page.get_by_label("EID of your phone").fill("490154203237518")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This is the IMEI of your phone.")).to_be_visible()
    expect(page.get_by_label("EID of your phone")).to_have_value("490154203237518")
    page.get_by_label("EID of your phone").fill(EID)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/checkout/number")


def _answers_about_the_number(page: Page) -> None:
    page.get_by_label("Keep my number").check()
    for name, value in HOLDER.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=gender]").select_option("M")
    page.locator("[name=expires_on]").fill(str(date.today() + timedelta(days=3)))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This reservation runs out too soon")).to_be_visible()
    page.locator("[name=expires_on]").fill(str(date.today() + timedelta(days=12)))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/checkout?plan=*")
