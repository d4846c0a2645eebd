"""Pages that need nothing of what is built: sessions cannot be checked, or a form came from another address."""

from html import escape
from urllib.parse import quote

from asgi_correlation_id import correlation_id
from starlette.responses import Response
from starlette.types import Scope

from portal_app.domain.errors import PortalError
from portal_app.language import Language, _, parse_language, speaking

_RETRY_SECONDS = 5
# Complete in itself: what built pages need may be away as well. The colours are those of assets/portal.css.
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --paper: #fbfaf7; --ink: #1a1e20; --quiet: #586067; --accent: #0b5f6b; --on: #fff }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: #101314; --ink: #edf0f0; --quiet: #a2abaf; --accent: #6cc5cf; --on: #06262b }}
}}
body {{ margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5; word-break: auto-phrase;
  font-family: -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Hiragino Sans", "Noto Sans JP",
  "Noto Sans CJK JP", "Yu Gothic UI", Meiryo, system-ui, sans-serif }}
main {{ max-width: 28rem; margin: 0 auto; padding: 20vh 1.25rem 2rem }}
h1 {{ margin: 0 0 .75rem; font-size: 1.75rem; line-height: 1.25; text-wrap: balance }}
p {{ margin: 0 0 1.5rem; color: var(--quiet) }}
a {{ display: inline-block; padding: .625rem 1.125rem; border-radius: .5rem; background: var(--accent);
  color: var(--on); font-weight: 550; text-decoration: none }}
a + p {{ margin: 1.5rem 0 0 }}
a:focus-visible {{ outline: 2px solid var(--accent); outline-offset: 2px }}
</style>
</head>
<body><main><h1>{title}</h1><p>{text}</p><a href="{href}">{action}</a><p><small>{reference}</small></p></main></body>
</html>
"""


def away_page(scope: Scope, error: PortalError) -> Response:
    """Return the 503 that a page is answered with instead; its link leads to the same address again."""
    path, query = quote("/" + scope["path"].strip("/")), scope["query_string"].decode("latin-1")
    language = parse_language(path.strip("/").partition("/")[0])
    with speaking(language):
        page = _page(
            language,
            title=_("This page cannot be shown right now"),
            text=f"{_(error.user_message)} {_('You stay signed in, and nothing is lost.')}",
            href=f"{path}?{query}" if query else path,
            action=_("Try again"),
        )
    headers = {"Cache-Control": "no-store", "Retry-After": str(_RETRY_SECONDS)}
    return Response(page, 503, headers, media_type="text/html")


def foreign_form_page(language: Language, portal_url: str) -> Response:
    """Return the 403 for a form that a browser sent from another address than the portal's own."""
    with speaking(language):
        page = _page(
            language,
            title=_("This form was sent from another address"),
            text=_("Nothing was done. Open the portal at its own address and send the form there."),
            href=f"{portal_url}/",
            action=_("Open the portal"),
        )
    return Response(page, 403, {"Cache-Control": "no-store"}, media_type="text/html")


def _page(language: Language, **texts: str) -> str:
    reference = _("Reference: {reference}").format(reference=correlation_id.get() or "-")
    escaped = {name: escape(text) for name, text in texts.items()}
    return _PAGE.format(language=language, reference=escape(reference), **escaped)
