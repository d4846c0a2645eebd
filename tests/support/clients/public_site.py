"""The public pages as the web process answers them, with small templates in place of the built ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from portal_app.api.help.contact_page import contact_page
from portal_app.api.help.help_page import HelpPages
from portal_app.api.http.request_context import RequestContextMiddleware
from portal_app.api.public import built_frontend
from portal_app.api.public.public_pages import PublicPages
from portal_app.api.status.status_page import status_page
from portal_app.infra.settings import Settings

LIVE = "the live page"


def _slot(name: str, content: str) -> str:
    return f'<span data-slot="begin {name}"></span>{content}<span data-slot="end {name}"></span>'


_LINE = _slot("line", '<a href="[[href]]">[[name]]</a>')
_ITEMS = _slot(
    "item",
    "<h3>[[title]]</h3><p>[[text]]</p>[[begin]]"
    + _slot("areas", "[[names]]")
    + _slot("update", "<i>[[text]]</i>")
    + '<form action="/api/status/[[id]]/follow"></form>',
)
TEMPLATES = {
    "help": '<input value="[[q]]">'
    + _slot("results", _slot("found", "<h2>[[name]]</h2><p>[[snippet]]</p>"))
    + _slot("none", "nothing found")
    + _slot("busy", "busy")
    + _slot("group", _LINE),
    "help/article": _slot(
        "article",
        "<h1>[[title]]</h1>[[body]]" + _slot("ask", '<form action="[[action]]">') + _slot("thanks", "thank you"),
    )
    + _slot("missing", "no such help page"),
    "contact": _slot("problem", "<p>[[words]]</p>") + "<textarea>[[typed text]]</textarea><b>[[hours]]</b>",
    "contact/code": _slot("problem", "<p>[[words]]</p>"),
    "status": _slot("part", "[[name]]: [[words]];")
    + _slot("all-well", "all well")
    + _slot("saved", "saved [[time]]")
    + _slot("unknown", "unknown")
    + "".join(_slot(stage, f"<h2>{stage}</h2>{_ITEMS}") for stage in ("current", "planned", "over")),
}


class PublicSite:
    """Asks for public pages."""

    def __init__(self, settings: Settings) -> None:
        paths = tuple(f"{prefix}/{route}" for route in TEMPLATES for prefix in ("", "/ja"))
        fillers = {"/help": HelpPages(), "/contact": contact_page, "/status": status_page}
        pages = PublicPages(PlainTextResponse(LIVE), paths, fillers)
        self._app = RequestContextMiddleware(pages, settings)
        self._url = settings.portal_url

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Return the answer to a GET."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url=self._url) as http:
            return await http.get(path, headers=headers)


@contextmanager
def public_site(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicSite]:
    """Serve public pages from templates in a folder."""
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(folder))
    for route, body in TEMPLATES.items():
        for prefix in ("", "ja/"):
            file = folder / "build" / "client" / f"{prefix}{route}" / "index.html"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"<html><head><title>built</title></head><body>{body}</body></html>")
    built_frontend._pages.cache_clear()
    yield PublicSite(settings)
    built_frontend._pages.cache_clear()
