"""Every page on a dark phone and a light wide screen: no sideways scroll, no axe finding, no raw text."""

import re
import time
from typing import Literal
from uuid import uuid4

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from portal_app.jobs.demo_customers import PASSWORD
from portal_app.pages import all_pages
from portal_app.pages.shell.page import PAGES
from tests.support.running.demo import AIKO, BEN, ROOT, Demo

assert all_pages
Views = tuple[tuple[int, Literal["light", "dark"]], ...]
STRANGER = "daichi@example.jp"
PLAN = "VPN-REMOTE-ACCESS-USA-SF"
# Each width and each scheme once: a rule of axe that fails in one of them fails here.
VIEWS: Views = ((390, "dark"), (1280, "light"))
OTHER_VIEWS: Views = ((390, "light"), (1280, "dark"))
EACH_WAY = [
    pytest.param(VIEWS, id="day and night"),
    pytest.param(OTHER_VIEWS, id="the other way", marks=pytest.mark.soak),
]
# Only what it finds: the rest of its answer is far longer.
VIOLATIONS = "axe.run({resultTypes: ['violations']}).then(told => told.violations)"
JAPANESE = re.compile(r"/ja(/|$)")
LOOK = {"bypass_csp": True, "may_miss": True}
# What must never reach a customer: ids of record, placeholders, unformatted values.
RAW = re.compile(
    r"\b(801|001|003|01t)[A-Za-z0-9]{12,15}\b|[0-9a-f]{8}-[0-9a-f]{4}-|\bNone\b|undefined|NaN|\[object|\{\{|%s"
)
PUBLIC = [
    "/", "/plans/internet", "/plans/sim", "/plans/vpn", "/terms", "/auth/login", "/auth/signup", "/ja", "/ja/plans/vpn",
    "/help", "/ja/help?q=解約", "/help/sim-setup", "/ja/help/router", "/help/no-such-page", "/contact",
    "/contact/code", "/status", "/ja/status",
    "/auth/forgot", "/auth/set-password", "/auth/unlock", "/auth/migrate", "/ja/auth/migrate", "/ja/auth/set-password",
]  # fmt: skip
SIGNED_IN = [
    "/dashboard", "/catalog", "/catalog/internet", "/catalog/sim", "/catalog/vpn", "/checkout?plan={plan}", "/orders",
    "/checkout?plan=SIM-DATA-VOICE-5GB", "/checkout/sim",
    "/checkout?plan=INTERNET-GOLD-HOME-1G", "/checkout/address", "/ja/catalog/internet",
    "/orders/{order}",
    "/subscriptions", "/subscriptions/{service}", "/billing/invoices", "/billing/invoices/{invoice}",
    "/billing/payments", "/account", "/account/verification", "/account/password", "/account/address",
    "/ja/account", "/ja/account/address",
    "/account/security", "/account/security/history", "/ja/account/security", "/ja/account/security/history",
    "/notifications", "/ja/notifications", "/account/notifications", "/ja/account/notifications",
    "/subscriptions/{service}/calls", "/subscriptions/{service}/cancel", "/ja/subscriptions/{service}/cancel",
    "/support/cases", "/ja/support/cases", "/support/new?about=invoice:2", "/ja/support/new", "/support/cases/{case}",
    "/ja/support/cases/{case}",
    "/no-such-page", "/ja/dashboard", "/ja/billing/invoices",
]  # fmt: skip


@pytest.mark.parametrize("views", EACH_WAY)
def test_every_public_page_reads_well(visit, demo: Demo, views: Views) -> None:
    page = visit("/", **LOOK)
    findings = [finding for path in PUBLIC for finding in findings_on(page, path, views)]
    findings += _signing_up(page, demo, views)
    assert findings + _at_the_second_step(visit("/", **LOOK), views) == []


@pytest.mark.parametrize("views", EACH_WAY)
def test_every_page_of_a_customer_reads_well(visit, views: Views) -> None:
    page = visit("/dashboard", email=BEN, **LOOK)
    ids = {"plan": PLAN, "service": "1", "invoice": "2", "order": _an_order(page), "case": _a_case(page)}
    assert [finding for path in SIGNED_IN for finding in findings_on(page, path.format(**ids), views)] == []


def _signing_up(page: Page, demo: Demo, views: Views) -> list[str]:
    email = f"looks.{time.time_ns()}@example.jp"
    page.goto("/auth/signup")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the code").click()
    page.wait_for_url("**/auth/verify*")
    found = findings_on(page, "/auth/verify", views)
    page.get_by_label("Code").fill(demo.code(email))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/auth/details*")
    return found + findings_on(page, "/auth/details", views) + _moving(page, demo, views)


def _moving(page: Page, demo: Demo, views: Views) -> list[str]:
    before = len(demo.mails(STRANGER))
    page.goto("/auth/migrate")
    page.get_by_label("E-mail").fill(STRANGER)
    page.get_by_role("button", name="Send the code").click()
    page.wait_for_url("**/auth/verify*")
    page.get_by_label("Code").fill(demo.code(STRANGER, after=before))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/auth/billing-password*")
    return findings_on(page, "/auth/billing-password", views)


def _at_the_second_step(page: Page, views: Views) -> list[str]:
    """Give Aiko a second step, stand before it, and take it away again."""
    post(page, "/api/auth/login", email=AIKO, password=PASSWORD)
    key = post(page, "/api/me/two-step")["key"]
    codes = post(page, "/api/me/two-step/confirm", code=pyotp.TOTP(key).now())["recovery_codes"]
    page.context.clear_cookies()
    post(page, "/api/auth/login", email=AIKO, password=PASSWORD)
    found = findings_on(page, "/auth/second-step", views)
    assert page.url.endswith("/auth/second-step")
    post(page, "/api/auth/second-step", code=codes[0])
    answer = page.request.delete("/api/me/two-step", headers=_proof(page))
    assert answer.ok, answer.text()
    return found


def post(page: Page, path: str, *, method: str = "POST", **body: str) -> dict:
    answer = page.request.fetch(path, method=method, data=body, headers=_proof(page))
    assert answer.ok, answer.text()
    return answer.json()


def _proof(page: Page) -> dict[str, str]:
    return {"Origin": "/".join(page.url.split("/")[:3]), "Idempotency-Key": uuid4().hex}


def _an_order(page: Page) -> str:
    key = {"Idempotency-Key": "one-order-to-look-at", "Origin": page.url.rsplit("/", 1)[0]}
    answer = page.request.post("/api/orders", data={"sku": PLAN, "terms_accepted": True}, headers=key)
    assert answer.status in (200, 201, 202), answer.text()
    return answer.json()["id"]


def _a_case(page: Page) -> str:
    question = {"category": "billing", "subject": "Invoice 2", "text": "Why two lines?", "about": "invoice:2"}
    return str(post(page, "/api/cases", **question)["id"])


def test_every_route_is_looked_at() -> None:
    looked_at = {re.sub(r"\?.*|\{\w+\}", "", path) for path in (*PUBLIC, *SIGNED_IN)}
    looked_at |= {"/auth/verify", "/auth/details", "/auth/second-step", "/auth/billing-password"}
    # Every article is shown by one template.
    looked_at |= {"/help/article"}
    # Reached by answering the step before: test_sim_checkout and test_internet look at them.
    looked_at |= {"/checkout/number", "/checkout/connection", "/checkout/phone"}
    routes = {re.sub(r"\[\w+\]", "", page.route) for page in PAGES} - {"/404", "404"}
    assert routes - looked_at == set()


def findings_on(page: Page, path: str, views: Views = VIEWS) -> list[str]:
    """Open a page and return what is wrong with it in any view; leave it as wide as it was.

    A page in Japanese is its English twin but for the words: axe looks at that one.
    """
    before = page.viewport_size
    page.goto(path)
    page.get_by_role("heading", level=1).first.wait_for()
    page.locator("[aria-busy=true]").first.wait_for(state="detached")
    found = [f"{path}: shows {raw[0]!r}"] if (raw := RAW.search(page.inner_text("body"))) else []
    is_twin = JAPANESE.match(path)
    if not is_twin:
        page.evaluate(Axe().axe_script)
    for width, scheme in views:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{path} ({width}): scrolls sideways")
        violations = [] if is_twin else page.evaluate(VIOLATIONS)
        targets = [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations]
        found += [f"{path} ({width}, {scheme}): {name} {nodes}" for name, nodes in targets]
    if before:
        page.set_viewport_size(before)
    return found


def test_built_pages_name_no_foreign_host(demo: Demo) -> None:
    hosts: set[str] = set()
    for file in (ROOT / ".web/build/client").rglob("*.html"):
        hosts |= set(re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//([^/"'>]+)""", file.read_text()))
    assert hosts == set()
