"""The link in mails that turns a topic's mails off (RFC 8058): only a POST changes anything."""

from html import escape

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from portal_app.language import Language, _, parse_language, path_for, speaking, spoken
from portal_app.wiring.portal import portal

router = APIRouter(tags=["account"])
# Complete in itself: mail programs and link scanners open it, and it needs no session. Colours as in assets/portal.css.
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --paper: #fbfaf7; --ink: #1a1e20; --quiet: #586067; --accent: #0b5f6b; --on: #fff }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: #101314; --ink: #edf0f0; --quiet: #a2abaf; --accent: #6cc5cf; --on: #06262b }}
}}
body {{ margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, "Hiragino Sans", "Noto Sans JP", Meiryo, sans-serif }}
main {{ max-width: 28rem; margin: 0 auto; padding: 20vh 1.25rem 2rem }}
h1 {{ margin: 0 0 .75rem; font-size: 1.75rem; line-height: 1.25; text-wrap: balance }}
p {{ margin: 0 0 1.5rem; color: var(--quiet) }}
a {{ color: var(--accent) }}
button {{ padding: .625rem 1.125rem; border: 0; border-radius: .5rem; background: var(--accent); color: var(--on);
  font: inherit; font-weight: 550 }}
</style>
</head>
<body><main><h1>{title}</h1><p>{text}</p>{form}<p><a href="{href}">{action}</a></p></main></body>
</html>
"""
_FORM = '<form method="post"><p><button>{words}</button></p></form>'


@router.get("/unsubscribe/{token}", include_in_schema=False)
async def ask(request: Request, token: str) -> Response:
    """Ask whether to turn the mails off: link scanners open links, so this changes nothing. 404 for a forged link."""
    portal().notifications.unsubscribe_links.read(token)
    with speaking(_language(request)):
        form = _FORM.format(words=escape(_("Stop these mails")))
        return _page(_("Stop mails about your support cases?"), _("What we answer stays in the portal."), form)


@router.post("/unsubscribe/{token}", include_in_schema=False)
async def stop(request: Request, token: str) -> Response:
    """Turn the mails off, for the button of a mail program as for the page's own."""
    user_id, topic = portal().notifications.unsubscribe_links.read(token)
    await portal().notifications.preferences.change(user_id, [(topic, None, False)])
    with speaking(_language(request)):
        title, text = _("You get no more mails about your support cases"), _("You can turn them on again at any time.")
        return _page(title, text, "")


def _language(request: Request) -> Language:
    return parse_language(request.query_params.get("lang"))


def _page(title: str, text: str, form: str) -> Response:
    href, action = path_for("/account/notifications"), _("All choices of mails")
    html = _PAGE.format(
        language=spoken(), title=escape(title), text=escape(text), form=form, href=escape(href), action=escape(action)
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
    return HTMLResponse(html, headers=headers)
