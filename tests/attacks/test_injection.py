"""Attack case 4: SQL and SOQL in every field, sort and filter of the API and of the pages' events."""

import re
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from portal_app.infra.settings import Settings
from portal_app.integrations.salesforce.crm import SalesforceCrm
from portal_app.integrations.salesforce.existing_accounts import SalesforceExistingAccounts
from portal_app.wiring.portal import Portal
from tests.attacks.test_every_handler import cookies_of, handlers, rows_hash, still_works
from tests.support.clients.new_customer import chiyo
from tests.support.clients.raw_socket import raw_socket
from tests.support.clients.visitor import Visitor
from tests.support.running.world import AIKO, PASSWORD
from tests.support.values.hostile import MARKUP, STATEMENTS
from tests.support.values.people import ADDRESS, PERSON

__all__ = ["chiyo"]
PAGES = Path(__file__).parents[2] / "portal_app" / "pages"
TEXTS = (*STATEMENTS, *MARKUP)
# Valid values for all fields but the attacked one, so that this one decides.
GOOD: dict[str, Any] = {
    **PERSON,
    **ADDRESS,
    "email": "somebody@example.jp",
    "password": PASSWORD,
    "present": PASSWORD,
    "code": "123456",
    "token": "x" * 43,
    "terms": "on",
    "reason": "price",
    "comment": "",
    "sku": "VPN-REMOTE-ACCESS-UK-LONDON",
    "terms_accepted": True,
    "answers": {},
    "language": "en",
    "status": "paid",
    "sort": "issued",
    "order": "desc",
    "page": "1",
    "limit": "20",
    "target": "pay",
    "category": "vpn",
    "invoice_id": "2",
    "service_id": "1",
    "method_id": "1",
    "items": [],
}
# They end the attacking session, or use a secret that is shown once.
LEFT_OUT = ("/api/auth/logout", "/api/me/sessions", "/api/me/password")


async def fields(visitor: Visitor) -> list[tuple[str, str, str, str, list[str]]]:
    """Return every field of every operation: method, path, where it stands, its name, and its neighbours' names."""
    found = []
    for path, operations in (await visitor.get("/api/openapi.json")).json()["paths"].items():
        for method, described in operations.items():
            if path.startswith(LEFT_OUT):
                continue
            places = [(one["in"], one["name"]) for one in described.get("parameters", [])]
            content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            names = list(content.get("schema", {}).get("properties", {}))
            places += [("body", name) for name in names]
            found += [(method.upper(), path, place, name, names) for place, name in places if place != "cookie"]
    assert len(found) > 80
    return found


async def attack(visitor: Visitor, field: tuple[str, str, str, str, list[str]], text: str) -> int:
    """Send one text in one field and valid values in all others; return the status."""
    method, path, place, name, names = field
    values = {
        one: text if place == "path" and one == name else GOOD.get(one, "1") for one in re.findall(r"{(\w+)}", path)
    }
    target = path.format(**{one: quote(str(value), safe="") for one, value in values.items()})
    target += f"?{name}={quote(text, safe='')}" if place == "query" else ""
    body = {one: text if one == name and place == "body" else GOOD.get(one, "1") for one in names} if names else None
    headers = {name: text.encode("unicode_escape").decode()} if place == "header" else {}
    return (await visitor.call(method, target, body, **headers)).status_code


async def test_every_field_of_the_api_takes_statements_for_texts(
    chiyo: tuple[Visitor, Any], portal: Portal, visitor: Visitor
) -> None:
    mallory, _ = chiyo
    aiko = await Visitor(portal.settings).sign_in(AIKO)
    before, turn = (
        rows_hash(str(portal.identity.sessions.read_access_token(aiko.cookie("access")).user_id)),
        count(),
    )
    broken = []
    for field in await fields(mallory):
        # Two texts for a field; over all fields each text is tried a dozen times.
        for text in (TEXTS[next(turn) % len(TEXTS)], TEXTS[next(turn) % len(TEXTS)]):
            status = await attack(mallory, field, text)
            if status >= 500:
                broken.append((field[:4], text, status))
    assert broken == []
    assert rows_hash(str(portal.identity.sessions.read_access_token(aiko.cookie("access")).user_id)) == before
    assert (await mallory.get("/api/me")).status_code == 200
    await aiko.http.aclose()


async def test_a_search_finds_what_was_typed_and_nothing_else(ben: Visitor) -> None:
    everything = (await ben.get("/api/invoices")).json()
    assert everything["total"] > 0
    for text in TEXTS:
        answer = await ben.get(f"/api/invoices?q={quote(text, safe='')}")
        assert (text, answer.status_code, answer.json()["total"]) == (text, 200, 0)
    for name in ("status", "sort", "order", "page", "limit"):
        for text in ("issued_on; DROP TABLE users", "total desc", "user_id", *STATEMENTS[:3]):
            assert (await ben.get(f"/api/invoices?{name}={quote(text, safe='')}")).status_code == 422


@pytest_asyncio.fixture
async def org(worker: Portal) -> AsyncIterator[Any]:
    """Salesforce as the worker reaches it."""
    yield worker.vendors.crm._client


async def test_salesforce_finds_exactly_what_was_asked_for(org: Any, worker: Portal) -> None:
    """A value comes back as the same text and finds its own row alone: nothing of it was read as SOQL."""
    account = await org.query("SELECT Id FROM Account LIMIT 1")
    made = {}
    for number, text in enumerate(text for text in TEXTS if "\x00" not in text):
        row = {"LastName": f"{text} {number}"[:80], "AccountId": account[0]["Id"]}
        made[row["LastName"]] = await org.upsert("Contact", "Portal_User_Id__c", f"hostile-{number}", row)
    for name, contact_id in made.items():
        found = await org.query("SELECT Id, LastName FROM Contact WHERE LastName = {name}", name=name)
        assert [(row["Id"], row["LastName"]) for row in found] == [(contact_id, name)]
    crm, existing_accounts = worker.vendors.crm, worker.vendors.existing_accounts
    assert isinstance(crm, SalesforceCrm) and isinstance(existing_accounts, SalesforceExistingAccounts)
    for text in STATEMENTS:
        assert await existing_accounts.find_person(text) is None
        assert await crm.find_customer(text) is None


@pytest.fixture
def defects(web: Settings, web_log: Path) -> Callable[[], list[str]]:
    """Ask which defects the web process logged since the test began."""
    said_before = len(web_log.read_text())

    def found() -> list[str]:
        lines = web_log.read_text()[said_before:].splitlines()
        return [line for line in lines if "handler.broke" in line or "event.broke" in line]

    return found


async def test_every_field_of_every_event_takes_statements_for_texts(
    web: Settings, defects: Callable[[], list[str]]
) -> None:
    names = {name for file in PAGES.rglob("*.py") for name in re.findall(r'name="([\w-]+)"', file.read_text())}
    mine, turn = cookies_of(web, AIKO), count()
    # The framework's own take no texts.
    own = {name: arguments for name, arguments in handlers().items() if ".portal_app___" in name}
    async with raw_socket(web, cookies=mine) as aiko:
        for handler, arguments in own.items():
            for _ in range(2):
                text = TEXTS[next(turn) % len(TEXTS)]
                form = dict.fromkeys(sorted(names), text)
                values = {name: form if name == "form" else text for name in arguments}
                query = "&".join(f"{name}={quote(text)}" for name in ("q", "sort", "status", "page", "plan"))
                await aiko.send(handler, values, path=f"/billing/invoices?{query}")
        for page in ("invoice_page", "subscription_page", "order_page", "cancel_page"):
            load = next(name for name in own if name.endswith(f"{page}.load"))
            for text in TEXTS:
                await aiko.send(load, path=f"/x/{quote(text, safe='')}")
    async with raw_socket(web, cookies=mine) as again:
        await still_works(again, "Aiko")
    assert defects() == []
