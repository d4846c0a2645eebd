"""Attacks on the pages that need no account: scripts in searches and announcements, and tricks with addresses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from portal_app.domain.status.announcement import NewAnnouncement, Words
from portal_app.wiring.portal import Portal
from tests.support.clients.public_site import LIVE, PublicSite, public_site
from tests.support.clients.visitor import Visitor, instead_of
from tests.support.running.world import world

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>[[body]]<span data-slot="begin group"></span>'
SLUGS = [
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/status",
    "..%5c..%5csecret",
    "sim-setup%00",
    "sim-setup%0a",
    "SIM-SETUP",
    "sim-setup/%2e%2e/vpn",
    "sim-setup.md",
    "a" * 5000,
    "articles%2fen%2fvpn",
]


@pytest.fixture
def site(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicSite]:
    with public_site(portal.settings, tmp_path, monkeypatch) as site:
        yield site


async def test_what_is_searched_for_is_only_text(site: PublicSite, visitor: Visitor) -> None:
    page = (await site.get(f"/help?q={quote('cancel ' + HOSTILE)}")).text
    assert "<script" not in page and "<img" not in page and "<h1>" not in page
    # What the answer repeats of the question is JSON and no page.
    answer = await visitor.get(f"/api/help/search?q={quote(HOSTILE)}&lang=<b>")
    assert answer.headers["content-type"] == "application/json" and "alert" not in answer.text
    assert "nosniff" in answer.headers["x-content-type-options"]


@pytest.mark.parametrize("slug", SLUGS)
async def test_no_address_below_help_leads_anywhere_else(site: PublicSite, visitor: Visitor, slug: str) -> None:
    page = await site.get(f"/help/{slug}")
    is_refused = page.status_code == 404 and "no such help page" in page.text
    assert is_refused or page.text == LIVE
    assert (await visitor.call("POST", f"/api/help/{slug}/answered", {"helped": "yes"})).status_code in (404, 405)


async def test_words_of_an_announcement_are_only_text(site: PublicSite, portal: Portal, worker: Portal) -> None:
    words = {language: Words(HOSTILE[:110], HOSTILE) for language in ("en", "ja")}
    new = NewAnnouncement.parse(
        kind="outage", words=words, services="", areas="", begins_at=datetime.now(UTC), until=None
    )
    known = await worker.status.publishing.publish(new)
    await worker.status.publishing.update(known, {"en": HOSTILE, "ja": HOSTILE})
    portal.status.announcements._looked_at = None
    page = (await site.get("/ja/status")).text
    assert page.count("alert(1)") >= 3 and "<script" not in page and "<img" not in page and "<span" not in page
    await worker.status.publishing.end(known)


async def test_another_site_cannot_answer_or_follow_in_a_customers_name(ben: Visitor) -> None:
    foreign = {
        "Origin": "https://evil.example",
        "Cookie": "; ".join(f"{c.name}={c.value}" for c in ben.http.cookies.jar),
    }
    for path in ("/api/help/vpn/answered", "/api/contact", "/api/status/00000000-0000-4000-8000-000000000000/follow"):
        answer = await ben.http.post(path, data={"helped": "yes"}, headers=foreign)
        assert answer.status_code == 403


async def test_a_flood_of_searches_and_answers_is_bounded(portal: Portal) -> None:
    async with instead_of(portal, world().settings_with(portal_help_limit="3/day")) as strict:
        visitor = Visitor(strict.settings, address="198.51.100.77")
        codes = [(await visitor.get("/api/help/search?q=vpn")).status_code for _ in range(3)]
        codes.append((await visitor.call("POST", "/api/help/vpn/answered", {"helped": "no"})).status_code)
        assert codes == [200, 200, 200, 429]
        await visitor.http.aclose()
