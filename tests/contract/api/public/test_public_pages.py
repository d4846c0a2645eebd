"""The public pages: filled from the catalogue, and never shown as a bare template."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from portal_app.api.public import built_frontend
from portal_app.api.public.public_pages import PublicPages
from portal_app.wiring.portal import Portal

TEMPLATE = (
    '<html><span data-slot="begin plans vpn"></span><span data-slot="begin plan vpn"></span>'
    '<h2>[[name]]</h2><span data-slot="end plan vpn"></span><span data-slot="end plans vpn"></span></html>'
)


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the built pages, empty."""
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    built_frontend._pages.cache_clear()
    yield tmp_path / "build" / "client"
    built_frontend._pages.cache_clear()


async def ask(path: str) -> httpx.Response:
    public = PublicPages(PlainTextResponse("the live page"), ("/plans/vpn",))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(public), base_url="http://portal") as http:
        return await http.get(path)


async def test_a_built_page_is_filled_with_todays_plans(portal: Portal, pages: Path) -> None:
    (pages / "plans" / "vpn").mkdir(parents=True)
    (pages / "plans" / "vpn" / "index.html").write_text(TEMPLATE)
    answer = await ask("/plans/vpn/")
    names = [plan.service.name for plan in await portal.catalog.plans("vpn")]
    assert names and answer.text == "<html>" + "".join(f"<h2>{name}</h2>" for name in names) + "</html>"


async def test_a_page_that_is_not_built_shows_no_template(portal: Portal, pages: Path) -> None:
    answer = await ask("/plans/vpn")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await ask("/dashboard")).text == "the live page"
