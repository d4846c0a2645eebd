"""The public pages: static HTML filled with current plans and prices, cached in memory."""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

import brotli
import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_app.api.public import built_frontend
from portal_app.api.public.page_template import Row, fill
from portal_app.domain.catalog.plan import CATEGORIES, Category, Plan
from portal_app.domain.checkout.plan_words import included_lines
from portal_app.domain.errors import PortalError
from portal_app.domain.money import Money
from portal_app.language import LANGUAGES, _, parse_language, speaking
from portal_app.wiring.portal import portal

_MOST_KEPT = 64
_log = structlog.get_logger(__name__)
_NOT_BUILT = PlainTextResponse("This page is being prepared.", status_code=503, headers={"retry-after": "5"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """One page as it is sent, in each encoding, with its tags."""

    bodies: dict[str, bytes]
    tag: str


class PublicPages:
    """Answer the public routes; pass everything else on."""

    def __init__(self, app: ASGIApp, routes: tuple[str, ...]) -> None:
        self._app = app
        self._routes = frozenset(routes)
        self._kept: OrderedDict[tuple[str, str], Rendered] = OrderedDict()
        self._last_rows: dict[str, Row] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = "/" + scope["path"].strip("/") if scope["type"] == "http" else ""
        if path not in self._routes or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        file = built_frontend.page_file(path)
        if file is None:
            # The live page behind it would show the template, unfilled.
            await _NOT_BUILT(scope, receive, send)
            return
        row = await self._row(path)
        response = _answer(self._page(path, file.read_text, row), Headers(scope=scope), method=scope["method"])
        await response(scope, receive, send)

    async def _row(self, path: str) -> Row:
        language = path.strip("/").partition("/")[0]
        try:
            plans = {category: await _offered(category) for category in CATEGORIES}
        except PortalError as error:
            _log.warning("public_pages.no_catalog", error=type(error).__name__)
            known = self._last_rows.get(path)
            return known if known is not None else _AWAY
        with speaking(parse_language(language if language in LANGUAGES else None)):
            row: dict[str, str | Sequence[Row]] = {"away": [], **_from_prices(plans)}
            for category in CATEGORIES:
                row[f"plans {category}"] = [{f"plan {category}": [_plan(plan) for plan in plans[category]]}]
        self._last_rows[path] = row
        return row

    def _page(self, path: str, read: Callable[[], str], row: Row) -> Rendered:
        key = (path, hashlib.sha256(repr(row).encode()).hexdigest())
        if key not in self._kept:
            self._kept[key] = _render(fill(read(), row))
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


_AWAY: dict[str, Sequence[Row]] = {"away": [{}]} | {
    f"{slot} {category}": [] for slot in ("plans", "from") for category in CATEGORIES
}


async def _offered(category: Category) -> list[Plan]:
    """Return what anybody may choose: family plans are for those who have a line."""
    return [plan for plan in await portal().catalog.plans(category) if not plan.service.is_family]


def _from_prices(plans: dict[str, list[Plan]]) -> dict[str, Sequence[Row]]:
    rows: dict[str, Sequence[Row]] = {}
    for category, offered in plans.items():
        lowest = min((plan.monthly for plan in offered), default=None)
        rows[f"from {category}"] = [{"amount": str(_taxed(lowest))}] if lowest else []
    return rows


def _plan(plan: Plan) -> Row:
    once = [{"once": str(plan.one_time), "once_tax": _with_tax(plan.one_time)}] if plan.one_time.minor else []
    return {
        "name": plan.service.name,
        "order": [{"sku": quote(plan.service.sku, safe="")}] if plan.is_orderable else [],
        "no-order": [] if plan.is_orderable else [{}],
        "monthly": str(plan.monthly),
        "monthly_tax": _with_tax(plan.monthly),
        "one-time": once,
        "line": [{"text": text} for text in included_lines(plan, taxed=_taxed)],
    }


def _taxed(amount: Money) -> Money:
    return amount.with_tax(Decimal(portal().settings.tax_percent))


def _with_tax(amount: Money) -> str:
    return _("{amount} with tax").format(amount=_taxed(amount))


def _render(page: str) -> Rendered:
    body = page.encode()
    bodies = {"": body, "gzip": gzip.compress(body, 9, mtime=0), "br": brotli.compress(body)}
    return Rendered(bodies, hashlib.sha256(body).hexdigest()[:32])


def _answer(page: Rendered, headers: Headers, *, method: str) -> Response:
    encoding = _encoding(headers.get("accept-encoding", ""))
    tag = f'"{page.tag}{"-" + encoding if encoding else ""}"'
    answer = {"etag": tag, "vary": "accept-encoding", "cache-control": "no-cache"}
    if _is_known(tag, headers.get("if-none-match", "")):
        return Response(status_code=304, headers=answer)
    body = page.bodies[encoding]
    answer |= {"content-length": str(len(body))} | ({"content-encoding": encoding} if encoding else {})
    return Response(b"" if method == "HEAD" else body, headers=answer, media_type="text/html")


def _encoding(accepted: str) -> str:
    offered = {}
    for part in accepted.lower().split(","):
        name, _sep, quality = part.strip().partition(";q=")
        offered[name.strip()] = quality.strip() not in ("0", "0.0", "0.00", "0.000")
    return next((name for name in ("br", "gzip") if offered.get(name)), "")


def _is_known(tag: str, sent: str) -> bool:
    return sent.strip() == "*" or tag in {part.strip().removeprefix("W/") for part in sent.split(",")}
