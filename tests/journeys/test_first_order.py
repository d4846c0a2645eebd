"""The walking portal: one customer goes all the way through, on real wires."""

import re
import time

from playwright.sync_api import Page, expect

from tests.support.running.demo import Demo, fill_details

# What a browser does that translates a page: each text is replaced by an element, or put into one.
TRANSLATE = """() => {
  const texts = [], walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) texts.push(walk.currentNode);
  texts.forEach((text, index) => {
    const font = document.createElement('font');
    if (index % 2) { text.before(font); font.append(text); return; }
    font.append(document.createElement('font'));
    font.firstChild.textContent = text.data;
    text.replaceWith(font);
  });
}"""


def test_a_customer_walks_from_the_landing_page_to_a_paid_invoice(visit, demo: Demo) -> None:
    email = f"hana.{time.time_ns()}@example.jp"
    page = visit("/")
    _sees_plans_with_prices(page)
    signs_up(page, demo, email)
    _chooses_a_plan_and_adds_a_card(page)
    order = _orders(page)
    _is_approved_and_sees_it_become_active(page, demo)
    _pays_the_invoice(page)
    page.goto(order)
    expect(page.get_by_text("Active", exact=True).first).to_be_visible()
    assert "ready to use" in demo.mail(email, "is active")
    _can_be_followed_in_the_log(demo, order.rpartition("/")[2])


def _sees_plans_with_prices(page: Page) -> None:
    page.get_by_role("link", name="See plans").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("VPN")
    expect(page.get_by_text("¥2,750").first).to_be_visible()


def signs_up(page: Page, demo: Demo, email: str) -> None:
    """Create an account, from the landing page to the dashboard."""
    page.get_by_role("link", name="Create account").first.click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the code").click()
    # As it is copied from a mail, with a space that does not break.
    code = demo.code(email)
    page.get_by_label("Code").fill(f"{code[:3]}\u00a0{code[3:]}")
    page.get_by_role("button", name="Continue").click()
    fill_details(page)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/dashboard")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hana")
    assert "Your customer number is C1" in demo.mail(email, "is ready")


def _chooses_a_plan_and_adds_a_card(page: Page) -> None:
    page.goto("/catalog/vpn")
    page.get_by_role("link", name=re.compile("Choose")).first.click()
    adds_a_card(page)


def adds_a_card(page: Page) -> None:
    """Store a card at the billing system and come back to the checkout."""
    page.get_by_role("button", name="Add a payment method").click()
    page.wait_for_url("**/whmcs/**")
    page.locator("[name=number]").fill("4242424242424242")
    page.locator("[name=expiry]").fill("12/29")
    page.locator("[name=number]").press("Enter")
    page.locator("#return").click()
    page.wait_for_url("**/checkout?plan=*")
    expect(page.get_by_text("4242")).to_be_visible()


def _orders(page: Page) -> str:
    page.get_by_label("I have read and accept the").check()
    page.get_by_role("button", name="Place order").dblclick()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
    expect(page.get_by_text("In review", exact=True).first).to_be_visible()
    return page.url


def _is_approved_and_sees_it_become_active(page: Page, demo: Demo) -> None:
    before = len(demo.orders())
    newest = max(demo.orders(), key=lambda order: order["number"])
    demo.decide(newest["id"], "approve")
    expect(page.get_by_text("Your service is working. Its invoice is under Billing.")).to_be_visible()
    assert len(demo.orders()) == before
    page.get_by_role("link", name="See your services").click()
    page.get_by_role("link", name=re.compile("VPN")).first.click()
    expect(page.get_by_role("heading", name="Contract")).to_be_visible()


def _can_be_followed_in_the_log(demo: Demo, order: str) -> None:
    """By one id: from the click in web to the approval in the listener, and each call and mail of the worker."""
    logs = {program: demo.log(program) for program in ("web", "worker", "listener")}
    for program, lines in logs.items():
        assert all(line["process"] == program and line["pid"] and line["version"] for line in lines)
    own = {program: [line for line in lines if line.get("order") == order] for program, lines in logs.items()}
    told = sorted((line for lines in own.values() for line in lines), key=lambda line: line["timestamp"])
    stages = [line for line in told if line["event"] == "order.stage"]
    assert [line["stage"] for line in stages] == ["received", "in_review", "being_set_up", "active"]
    # The listener shows the approval at once; a worker that is faster has done it already.
    assert [line["process"] for line in stages if line["process"] != "listener"] in (
        ["web", "worker", "worker"],
        ["web", "worker", "worker", "worker"],
    )
    assert all(line["correlation_id"] for line in stages)
    # What the customer did and what the worker did for it have one id.
    assert stages[0]["correlation_id"] == stages[1]["correlation_id"]
    at_salesforce = next(row["id"] for row in demo.orders() if row["portal_order_id"] == order)
    assert any(at_salesforce in line.get("sf_orders", []) for line in logs["listener"])
    assert own["web"][0]["handler"].endswith("place_order") and own["web"][0]["user"]
    calls = {line["operation"] for line in own["worker"] if line["event"] == "vendor.called"}
    assert {"AddOrder", "AcceptOrder"} <= calls, calls
    assert {"order_received", "order_active"} <= {line.get("template") for line in own["worker"]}


def _pays_the_invoice(page: Page) -> None:
    opened_sockets: list[str] = []
    page.on("websocket", lambda socket: opened_sockets.append(socket.url))
    page.get_by_role("link", name="Account").first.click()
    page.locator("a[href^='mailto:']").first.click()
    page.get_by_role("link", name="Billing").first.click()
    with page.expect_download():
        page.get_by_role("button", name="Download as CSV").click()
    page.get_by_role("link", name=re.compile("^Invoice")).first.click()
    expect(page.get_by_text("Due", exact=True).first).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Download as PDF").click()
    opened.value.close()
    # A new one would show that the first was cut.
    assert opened_sockets == []
    page.evaluate(TRANSLATE)
    mine = page.context.new_page()
    mine.goto(page.url)
    mine.get_by_role("button", name=re.compile("^Pay ¥")).click()
    mine.wait_for_url("**/whmcs/viewinvoice.php**")
    mine.get_by_role("button", name=re.compile("Pay")).click()
    # The page left open turns to Paid by itself: hook, webhook, workflow, push. Its browser had translated it.
    expect(page.locator("main header").get_by_text("Paid", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("^Paid on "))).to_be_visible()
    expect(page.get_by_text("Due", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Pay ¥"))).to_have_count(0)
