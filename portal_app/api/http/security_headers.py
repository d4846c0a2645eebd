"""Security headers and caching of every response, and which addresses are closed."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app.api.public import built_frontend
from portal_app.infra.log.rare_log import log_rarely
from portal_app.infra.settings import Settings

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
# What Reflex adds for itself: uploads, the list of routes, and its own health, which our own routes tell.
_CLOSED = ("/_upload", "/_all_routes", "/_health", "/ping")
_ABSOLUTE = re.compile(rb"https?://(?P<host>[^/]*)")


class SecurityHeaders:
    """Refuse what no page of ours sends, and add the headers that every response must carry.

    Outside of it stand only the layers that count, log and bound requests.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._host = urlsplit(settings.portal_url).netloc.encode()
        self._plain = _plain_headers(settings)
        # By the file a document is answered with: a policy with the scripts of all pages would outgrow what proxies
        # take as headers (nginx: 4 KB).
        self._documents: dict[Path | None, list[tuple[bytes, bytes]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "websocket":
            if not self._may_connect(scope):
                await receive()
                await send({"type": "websocket.close", "code": 4403})
                return
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        # Redirects of the static server and of routers are absolute and name this host, whatever the caller sent.
        scope["headers"] = self._with_own_host(scope["headers"])

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*map(self._relative, message.get("headers", []))]
                headers += self._headers_of(path, is_page=_is_html(headers))
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", _caching(path, message["status"])))
                message = {**message, "headers": headers}
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        # Socket.IO's long-polling would be a second, weaker way in: only the websocket is open.
        if path.startswith(_CLOSED) or path.startswith("/_event"):
            await _plain(with_headers, 404, b"Not found")
            return
        name = path.removeprefix("/assets/")
        if name != path and (script := built_frontend.environment_script(name, self._settings.portal_url)) is not None:
            await _plain(with_headers, 200, script, kind=b"text/javascript", cache=b"no-cache")
            return
        if scope["method"] in ("GET", "HEAD") and not path.endswith("/") and built_frontend.page_file(path):
            # The static server would answer with a redirect to an absolute address.
            scope = {**scope, "path": path + "/", "raw_path": path.encode() + b"/"}
        await self._app(scope, receive, with_headers)

    def _with_own_host(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [(b"host", self._host), *((name, value) for name, value in headers if name != b"host")]

    def _relative(self, header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        """Return a redirect to our own host as a path: behind a proxy the scheme would be wrong."""
        name, value = header
        if name != b"location" or not (found := _ABSOLUTE.match(value)) or found["host"] != self._host:
            return header
        return name, value[found.end() :] or b"/"

    def _headers_of(self, path: str, *, is_page: bool) -> list[tuple[bytes, bytes]]:
        if not (is_page or _is_document(path)):
            return self._plain
        file = built_frontend.document_file(path)
        if file not in self._documents:
            scripts = built_frontend.script_hashes(file) if file else ()
            self._documents[file] = _document_headers(self._settings, scripts)
        return self._documents[file]

    def _may_connect(self, scope: Scope) -> bool:
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        if origin is not None and origin not in self._settings.allowed_origins:
            log_rarely("sockets.refused_origin", "not PORTAL_URL", origin=origin, portal_url=self._settings.portal_url)
            return False
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        # State trees are keyed by this token: it must never name anything but a tab.
        return bool(_UUID.fullmatch(token))


def _is_document(path: str) -> bool:
    """Tell pages from files and data by their path: a 304 names no type, and its headers replace the kept ones."""
    name = path.rpartition("/")[2]
    return not path.startswith(("/assets/", "/api/")) and ("." not in name or name.endswith(".html"))


def _is_html(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether an answer is a page, whatever its path looks like: unknown files are answered with one."""
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def _plain_headers(settings: Settings) -> list[tuple[bytes, bytes]]:
    """What every answer carries. The long policy of documents would outweigh many a small file."""
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    if settings.is_secure:
        headers.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
    return headers


def _document_headers(settings: Settings, scripts: tuple[str, ...]) -> list[tuple[bytes, bytes]]:
    """What a document carries. Pages opened from it add no inline script, so the first document's policy serves them.

    `scripts` are the hashes of the document's own.
    """
    whmcs = urlsplit(settings.whmcs_url)
    form_targets = f"'self' {whmcs.scheme}://{whmcs.netloc}" if whmcs.netloc else "'self'"
    sources = " ".join(("'self'", *scripts))
    policy = (
        f"default-src 'self'; script-src {sources}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; font-src 'self'; connect-src 'self' {settings.portal_url.replace('http', 'ws', 1)}; "
        f"form-action {form_targets}; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
    return [
        *((name, value) for name, value in _plain_headers(settings) if name != b"content-security-policy"),
        (b"content-security-policy", policy.encode()),
        (b"x-frame-options", b"DENY"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    ]


def _caching(path: str, status: int) -> bytes:
    if path.startswith("/assets/"):
        # During a deployment a file may be missing for a moment; only the file itself never changes.
        return b"public, max-age=31536000, immutable" if status in (200, 206, 304) else b"no-store"
    return b"no-store" if path.startswith("/api/") else b"no-cache"


async def _plain(send: Send, status: int, body: bytes, *, kind: bytes = b"text/plain", cache: bytes = b"") -> None:
    headers = [(b"content-type", kind + b"; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if cache:
        headers.append((b"cache-control", cache))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
