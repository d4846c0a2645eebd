"""The public pages: static HTML filled with current data, cached in memory."""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.datastructures import Headers, QueryParams
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app.api.public import built_frontend
from portal_app.api.public.page_template import Filled, fill
from portal_app.api.public.plan_rows import PlanRows
from portal_app.api.public.rendering import Rendered, answer, render, with_head
from portal_app.api.public.visit import Visit
from portal_app.language import LANGUAGES, parse_language, path_for, speaking
from portal_app.wiring.portal import portal

Filler = Callable[[Visit], Awaitable[Filled]]
# Every help page in both languages, and the others.
_MOST_KEPT = 256
_NOT_BUILT = PlainTextResponse("This page is being prepared.", status_code=503, headers={"retry-after": "5"})


class PublicPages:
    """Answer the public routes; pass everything else on.

    `fillers` say what the pages below a route show; pages without one show plans.
    """

    def __init__(self, app: ASGIApp, routes: tuple[str, ...], fillers: Mapping[str, Filler] | None = None) -> None:
        self._app = app
        self._routes = frozenset(routes)
        self._fillers = dict(fillers or {})
        self._plans = PlanRows()
        self._kept: OrderedDict[tuple[str, str], Rendered] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = "/" + scope["path"].strip("/") if scope["type"] == "http" else ""
        template = built_frontend.template_path(path)
        if template not in self._routes or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        file = built_frontend.page_file(template)
        if file is None:
            # The live page behind it would show the template, unfilled.
            await _NOT_BUILT(scope, receive, send)
            return
        visit = _visit(scope, path)
        with speaking(visit.language):
            filled = await self._filler(visit.route)(visit)
        response = answer(self._page(visit, file, filled), Headers(scope=scope), method=scope["method"])
        await response(scope, receive, send)

    def _filler(self, route: str) -> Filler:
        first = "/" + route.strip("/").partition("/")[0]
        return self._fillers.get(first, self._plans)

    def _page(self, visit: Visit, file: Path, filled: Filled) -> Rendered:
        if not filled.is_kept or filled.status != 200:
            return _rendered(visit, file, filled)
        key = (visit.path, hashlib.sha256(repr((filled.title, filled.row)).encode()).hexdigest())
        if key not in self._kept:
            self._kept[key] = _rendered(visit, file, filled)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _visit(scope: Scope, path: str) -> Visit:
    first = path.strip("/").partition("/")[0]
    language = parse_language(first if first in LANGUAGES else None)
    route = path if language != first else "/" + path.strip("/").partition("/")[2]
    return Visit(
        path=path,
        route=route,
        language=language,
        query=QueryParams(scope["query_string"]),
        scope=scope,
    )


def _rendered(visit: Visit, file: Path, filled: Filled) -> Rendered:
    page = fill(file.read_text(), filled.row)
    is_listed = filled.is_kept and filled.status == 200
    url = portal().settings.portal_url
    alternates = {language: url + path_for(visit.route, language) for language in LANGUAGES} if is_listed else {}
    page = with_head(page, title=filled.title, alternates=alternates, is_listed=is_listed)
    return render(page, status=filled.status, is_kept=is_listed)
