"""Search in the help, and whether an article answered the question. Neither needs an account."""

from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from portal_app.api.http.request_context import context_of
from portal_app.api.http.request_parsing import Body, read, wants_json
from portal_app.api.http.resource import Resource
from portal_app.api.http.responses import Next, done, form_route, json, see_other
from portal_app.domain.errors import PortalError
from portal_app.domain.help.search import LONGEST_QUERY
from portal_app.infra.redis.rate_limit import LocalLimits, refusal
from portal_app.language import parse_language, path_for, speaking
from portal_app.wiring.portal import portal

_MOST = 10
_limits = LocalLimits()
router = APIRouter(prefix="/api/help", tags=["help"])


class Answered(Body):
    """Whether an article answered the question: yes or no."""

    helped: str = Field(pattern="^(yes|no)$")


@dataclass
class FoundArticle(Resource):
    """An article that fits a question, with the sentence that fits it best."""

    slug: str
    title: str
    summary: str
    snippet: str
    path: str


@dataclass
class FoundArticles(Resource):
    """The articles that fit a question, the best first."""

    items: list[FoundArticle]


@router.get("/search", response_model=FoundArticles)
async def search(
    request: Request,
    q: str = Query("", max_length=1000, description="Words or a question; what follows 100 characters is left out"),
    lang: str = Query("", max_length=5, description="en or ja; default: the language of the page that asks"),
) -> Response:
    """Return the help articles that fit a question. 429 above PORTAL_HELP_LIMIT."""
    _count(request)
    language, query = parse_language(lang or context_of(request.scope).language), q[:LONGEST_QUERY]
    hits = portal().help.help.search(language, query, most=_MOST)
    if query.strip() and not hits:
        await portal().help.help.count_missed(query)
    with speaking(language):
        items = [
            FoundArticle(
                hit.article.slug,
                hit.article.title,
                hit.article.summary,
                hit.snippet,
                path_for(f"/help/{hit.article.slug}"),
            )
            for hit in hits
        ]
    return json(FoundArticles(items))


@router.post("/{slug}/answered", **form_route(Next, Answered))
async def answered(request: Request, slug: str) -> Response:
    """Count whether an article answered the question; nothing else is kept. 429 above PORTAL_HELP_LIMIT."""
    try:
        _count(request)
        entries = await read(request, Answered)
        await portal().help.help.count_answer(slug, helped=entries.helped == "yes")
    except PortalError:
        if wants_json(request):
            raise
        # Nobody has to do anything about an answer that is not counted.
        return see_other(path_for(f"/help/{quote(slug, safe='')}"))
    return done(request, f"{path_for(f'/help/{slug}')}?answered={entries.helped}#answered")


def _count(request: Request) -> None:
    seconds = _limits.seconds_left(portal().settings.portal_help_limit, context_of(request.scope).origin.network)
    if seconds:
        raise refusal(seconds, None)
