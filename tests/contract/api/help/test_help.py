"""Help by page and by API: found in both languages, counted without saying who asked."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from portal_app.wiring.portal import Portal
from tests.support.clients.public_site import PublicSite, public_site
from tests.support.clients.visitor import Visitor


@pytest.fixture
def site(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicSite]:
    with public_site(portal.settings, tmp_path, monkeypatch) as site:
        yield site


async def counted(worker: Portal) -> dict[tuple[str, str], int]:
    return {(kind, word): count for kind, word, count in await worker.help.help.counts(days=1)}


async def test_an_article_is_a_page_in_both_languages_and_known_the_next_time(site: PublicSite) -> None:
    for path, title, other in (
        ("/help/cancelling", "Cancel a service", 'hreflang="ja"'),
        ("/ja/help/cancelling", "サービスの解約", 'hreflang="en"'),
    ):
        page = await site.get(path, **{"accept-encoding": "br"})
        assert (page.status_code, page.headers["content-encoding"]) == (200, "br")
        assert f"<title>{title}</title>" in page.text and f"<h1>{title}</h1>" in page.text and other in page.text
        again = await site.get(path, **{"accept-encoding": "br", "if-none-match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_search_finds_articles_as_a_page_and_by_api(site: PublicSite, visitor: Visitor) -> None:
    page = await site.get("/ja/help?q=解約したい")
    assert 'value="解約したい"' in page.text and "<h2>サービスの解約</h2>" in page.text and "noindex" in page.text
    found = (await visitor.get("/api/help/search?q=cancel&lang=en")).json()["items"]
    assert found[0]["path"] == "/help/cancelling"
    assert (await visitor.get("/api/help/search?q=解約&lang=ja")).json()["items"][0]["path"] == "/ja/help/cancelling"
    assert (await visitor.get("/api/help/search")).json() == {"items": []}


async def test_words_without_a_result_are_counted_each_by_itself_and_no_numbers(
    site: PublicSite, visitor: Visitor, worker: Portal
) -> None:
    word = "".join(chr(ord("g") + int(digit, 16)) for digit in uuid4().hex[:12])
    assert "nothing found" in (await site.get(f"/help?q={word} 4111111111111111 ab12")).text
    await visitor.get(f"/api/help/search?q={word}")
    counts = await counted(worker)
    assert counts["missed", word] == 2
    assert not [found for kind, found in counts if kind == "missed" and any(letter.isdigit() for letter in found)]


async def test_an_answer_is_counted_without_a_session_and_a_page_says_thanks(
    site: PublicSite, visitor: Visitor, worker: Portal
) -> None:
    before = (await counted(worker)).get(("helped", "vpn"), 0)
    answer = await visitor.submit("/api/help/vpn/answered", page="/ja/help/vpn", helped="yes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ja/help/vpn?answered=yes#answered")
    assert "thank you" in (await site.get("/ja/help/vpn?answered=yes")).text
    assert (await counted(worker))["helped", "vpn"] == before + 1
    for path, fields in (("/api/help/no-such/answered", "yes"), ("/api/help/vpn/answered", "maybe")):
        assert (await visitor.call("POST", path, {"helped": fields})).status_code in (404, 422)
    unknown = await visitor.submit("/api/help/no-such/answered", page="/help/no-such", helped="yes")
    assert unknown.headers["location"] == "/help/no-such"
    assert (await visitor.get("/api/help/vpn/answered")).status_code == 405
    assert (await counted(worker))["helped", "vpn"] == before + 1
