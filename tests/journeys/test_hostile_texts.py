"""Attack case 4: markup in names, addresses, lines, products and notes is read as words, on every page."""

import time
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, expect

from portal_app.jobs.demo_customers import PASSWORD
from tests.support.clients.api_steps import DETAILS
from tests.support.running.demo import BEN, Demo
from tests.support.values.hostile import MARK, MARKUP
from tests.support.waiting import LONGEST_SECONDS

IMAGE = MARKUP[0]
FORMULA = '=HYPERLINK("http://evil.example","x")'
PAGES = (
    "/dashboard", "/subscriptions", "/subscriptions/{service}", "/subscriptions/{service}/cancel", "/billing/invoices",
    "/billing/invoices/{invoice}", "/notifications", "/account", "/account/address", "/account/security",
    "/account/security/history", "/catalog/internet", "/ja/dashboard", "/ja/billing/invoices/{invoice}",
)  # fmt: skip
TELLING = ("/dashboard", "/subscriptions", "/billing/invoices/", "/notifications", "/catalog/internet")
_SERVICE = """
INSERT INTO subscriptions_mirror (user_id, service_id, body, read_at)
SELECT %(user)s, %(service)s, body || jsonb_build_object('id', %(service)s, 'name', %(text)s::text,
    'fields', jsonb_build_array(jsonb_build_array(%(text)s::text, %(text)s::text))), now()
FROM subscriptions_mirror ORDER BY service_id LIMIT 1
"""
_YOUNG = """
INSERT INTO mirror_states (user_id, kind, read_at) VALUES (%(user)s, 'services', now() + interval '1 hour')
ON CONFLICT (user_id, kind) DO UPDATE SET read_at = excluded.read_at
"""
_NOTICE = """
INSERT INTO notices (user_id, kind, source_id, subject, path, at)
VALUES (%(user)s, 'order_active', 'hostile', %(text)s, '/orders', now())
"""


@pytest.fixture
def mallory(demo: Demo) -> httpx.Client:
    """Somebody whose every text at every vendor is markup, signed in by a browser that is called so, too."""
    with httpx.Client(base_url=demo.url, timeout=LONGEST_SECONDS, headers={"User-Agent": IMAGE}) as client:
        _sign_up(client, demo)
        yield client


def _sign_up(client: httpx.Client, demo: Demo) -> None:
    email = f"mallory.{time.time_ns()}@example.jp"
    client.post("/api/auth/signup", json={"email": email}).raise_for_status()
    client.post("/api/auth/signup/verify", json={"code": demo.code(email)}).raise_for_status()
    client.post("/api/auth/signup/complete", json=DETAILS).raise_for_status()
    deadline = time.monotonic() + LONGEST_SECONDS
    while client.get("/api/invoices").status_code != 200:
        assert time.monotonic() < deadline, "the account was not set up"
        time.sleep(0.2)


def _fill(client: httpx.Client, demo: Demo) -> dict[str, int]:
    """Write markup wherever staff, agents and products can; return the ids of the service and the invoice."""
    number = client.get("/api/me").json()["customer_number"]
    with psycopg.connect(demo.database_url(), autocommit=True) as database:
        _see_a_service(demo)
        query = "SELECT user_id, whmcs_client_id FROM id_mappings WHERE customer_number = %s"
        user, client_id = database.execute(query, (number,)).fetchone()
        values = {"user": user, "service": 900_000 + client_id, "text": IMAGE}
        for statement in (_SERVICE, _YOUNG, _NOTICE):
            database.execute(statement, values)
    lines = {
        f"{kind}{place}": value
        for place, text in enumerate((*MARKUP, FORMULA), 1)
        for kind, value in (("itemdescription", text), ("itemamount", "100"))
    }
    invoice = _whmcs(demo, "CreateInvoice", userid=client_id, status="Unpaid", duedate="2026-12-31", **lines)
    person = dict.fromkeys(("firstname", "lastname", "address1", "address2", "city"), IMAGE)
    _whmcs(demo, "UpdateClient", clientid=client_id, skipvalidation="1", **person)
    client.post("/api/me/eligibility", headers={"Idempotency-Key": uuid4().hex}).raise_for_status()
    demo.answer_check(demo.pending_check(), ["Home 1G"], note=IMAGE)
    return {"service": values["service"], "invoice": int(invoice["invoiceid"])}


def _see_a_service(demo: Demo) -> None:
    """Have one service in the mirror to copy."""
    with httpx.Client(base_url=demo.url, timeout=LONGEST_SECONDS) as ben:
        ben.post("/api/auth/login", json={"email": BEN, "password": PASSWORD}).raise_for_status()
        assert ben.get("/api/subscriptions").json()["items"]


def _whmcs(demo: Demo, action: str, **fields: object) -> dict[str, str]:
    printed = (demo.home / "sandbox" / "running.env").read_text()
    own = dict(line.split("=", 1) for line in printed.splitlines())
    form = {"action": action, "responsetype": "json", "identifier": own["WHMCS_API_IDENTIFIER"], **fields}
    answer = httpx.post(own["WHMCS_API_URL"], data=form | {"secret": own["WHMCS_API_SECRET"]}).json()
    assert answer["result"] == "success", answer
    return dict(answer)


def test_markup_of_every_source_is_words_on_every_page(visit, demo: Demo, mallory: httpx.Client) -> None:
    ids = _fill(mallory, demo)
    cookies = [{"name": name, "value": value, "url": demo.url} for name, value in mallory.cookies.items()]
    page: Page = visit("/terms", bypass_csp=True, may_miss=True)
    page.context.add_cookies(cookies)
    page.on("dialog", lambda dialog: pytest.fail(f"{page.url} asks {dialog.message}"))
    for path in PAGES:
        _look(page, path.format(**ids), shows_it=path.startswith(TELLING))
    page.emulate_media(media="print")
    _look(page, f"/billing/invoices/{ids['invoice']}", shows_it=True)


def _look(page: Page, path: str, *, shows_it: bool) -> None:
    """Open a page: it shows the markup as words, or not at all, and nothing in it was made of it."""
    page.goto(path)
    page.get_by_role("heading", level=1).first.wait_for()
    page.locator("[aria-busy=true]").first.wait_for(state="detached")
    if shows_it:
        expect(page.get_by_text(IMAGE).first).to_be_attached()
    assert page.locator(f"[{MARK}]").count() == 0, path
    assert page.evaluate("window.hostile") is None, path
    script = "javascript:"
    assert page.locator(f"[href^='{script}' i], [src^='{script}' i], [action^='{script}' i]").count() == 0, path
