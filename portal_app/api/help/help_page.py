"""What the help pages show: all articles, what a search found, or one article."""

from collections.abc import Sequence

from portal_app.api.http.request_context import context_of
from portal_app.api.public.page_template import Filled, Html, Row
from portal_app.api.public.visit import Visit
from portal_app.domain.errors import NotFound
from portal_app.domain.help.article import Article, Hit
from portal_app.domain.help.search import LONGEST_QUERY
from portal_app.infra.redis.rate_limit import LocalLimits
from portal_app.language import LANGUAGES, Language, _, path_for
from portal_app.language.format import day
from portal_app.wiring.portal import portal

_GROUPS = (("sim", "SIM"), ("internet", "Internet"), ("vpn", "VPN"), ("", "Bills and account"))
_MOST_RELATED = 3
_RESULTS = ("results", "none", "busy")


class HelpPages:
    """Fill the pages below /help."""

    def __init__(self) -> None:
        self._limits = LocalLimits()

    async def __call__(self, visit: Visit) -> Filled:
        """Return what a page shows."""
        slug = visit.route.removeprefix("/help").strip("/")
        if slug:
            return self._article(visit, slug)
        query = visit.query.get("q", "")[:LONGEST_QUERY].strip()
        return await self._found(visit, query) if query else self._overview(visit)

    def _article(self, visit: Visit, slug: str) -> Filled:
        try:
            article = portal().help.help.article(visit.language, slug)
        except NotFound:
            return Filled({"article": [], "missing": [{}], "group": _groups(visit)}, title=_("Not found"), status=404)
        answered = {"yes": "thanks", "no": "sorry"}.get(visit.query.get("answered", ""), "")
        row: dict[str, str | Sequence[Row]] = {
            "title": article.title,
            "summary": article.summary,
            "updated": day(article.updated),
            "body": Html(article.html),
            "action": f"/api/help/{article.slug}/answered",
            "ask": [] if answered else [{}],
            "thanks": [{}] if answered == "thanks" else [],
            "sorry": [{}] if answered == "sorry" else [],
            "more": [{"related": [_line(each) for each in _related(article)]}],
            "translation": path_for(f"/help/{slug}", _other(visit)),
        }
        return Filled({"article": [row], "missing": [], "group": []}, title=article.title, is_kept=not answered)

    def _overview(self, visit: Visit) -> Filled:
        row: dict[str, str | Sequence[Row]] = {name: [] for name in _RESULTS}
        return Filled(row | {"group": _groups(visit), "q": "", "translation": path_for("/help", _other(visit))})

    async def _found(self, visit: Visit, query: str) -> Filled:
        row: dict[str, str | Sequence[Row]] = {name: [] for name in _RESULTS}
        row |= {"q": query, "translation": path_for("/help", _other(visit))}
        if self._limits.seconds_left(portal().settings.portal_help_limit, context_of(visit.scope).origin.network):
            return Filled(row | {"busy": [{}], "group": _groups(visit)}, status=429, is_kept=False)
        hits = portal().help.help.search(visit.language, query)
        if not hits:
            await portal().help.help.count_missed(query)
            return Filled(row | {"none": [{}], "group": _groups(visit)}, is_kept=False)
        row |= {"results": [{"found": [_hit(each) for each in hits]}], "group": []}
        return Filled(row, title=_("Help"), is_kept=False)


def _groups(visit: Visit) -> list[Row]:
    articles = portal().help.help.articles(visit.language)
    found: list[Row] = []
    for service, name in _GROUPS:
        lines = [_line(each) for each in articles if (each.services[0] if each.services else "") == service]
        found.append({"name": _(name), "line": lines})
    return found


def _related(article: Article) -> list[Article]:
    """Return other articles to read on: first those that this one links to, then others about the same service."""
    others = [each for each in portal().help.help.articles(article.language) if each.slug != article.slug]
    linked = [each for each in others if f'/help/{each.slug}"' in article.html]
    alike = [each for each in others if each.services == article.services and each not in linked]
    return (linked + alike)[:_MOST_RELATED]


def _line(article: Article) -> Row:
    return {"href": path_for(f"/help/{article.slug}"), "name": article.title, "summary": article.summary}


def _hit(hit: Hit) -> Row:
    return {"href": path_for(f"/help/{hit.article.slug}"), "name": hit.article.title, "snippet": hit.snippet}


def _other(visit: Visit) -> Language:
    return next(language for language in LANGUAGES if language != visit.language)
