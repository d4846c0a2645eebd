"""A public page as it is sent: in the encoding that the browser takes, with a tag for the next time."""

import gzip
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

import brotli
from starlette.datastructures import Headers
from starlette.responses import Response

_TITLE = re.compile(r"<title>.*?</title>", re.S)


@dataclass(frozen=True, slots=True)
class Rendered:
    """One page as it is sent, in each encoding, with its tag."""

    bodies: dict[str, bytes]
    tag: str
    status: int = 200


def render(page: str, *, status: int = 200, is_kept: bool = True) -> Rendered:
    """Return a page in its encodings. One that is not kept is compressed quickly, the others as small as possible."""
    body = page.encode()
    small = gzip.compress(body, 9 if is_kept else 4, mtime=0)
    bodies = {"": body, "gzip": small} | ({"br": brotli.compress(body)} if is_kept else {})
    return Rendered(bodies, hashlib.sha256(body).hexdigest()[:32], status)


def with_head(page: str, *, title: str, alternates: Mapping[str, str], is_listed: bool) -> str:
    """Return a page with its title, where it has one of its own, and the addresses of its translations."""
    if title:
        page = _TITLE.sub(lambda _: f"<title>{html.escape(title)}</title>", page, count=1)
    links = "".join(
        f'<link rel="alternate" hreflang="{language}" href="{html.escape(address)}">'
        for language, address in alternates.items()
    )
    robots = "" if is_listed else '<meta name="robots" content="noindex">'
    return page.replace("</head>", f"{links}{robots}</head>", 1)


def answer(page: Rendered, headers: Headers, *, method: str) -> Response:
    """Return the response: 304 where the browser has this page already."""
    encoding = _encoding(headers.get("accept-encoding", ""), page.bodies)
    tag = f'"{page.tag}{"-" + encoding if encoding else ""}"'
    sent = {"etag": tag, "vary": "accept-encoding", "cache-control": "no-cache"}
    if page.status == 200 and _is_known(tag, headers.get("if-none-match", "")):
        return Response(status_code=304, headers=sent)
    body = page.bodies[encoding]
    sent |= {"content-length": str(len(body))} | ({"content-encoding": encoding} if encoding else {})
    return Response(b"" if method == "HEAD" else body, page.status, sent, media_type="text/html")


def _encoding(accepted: str, bodies: Mapping[str, bytes]) -> str:
    offered = {}
    for part in accepted.lower().split(","):
        name, _sep, quality = part.strip().partition(";q=")
        offered[name.strip()] = quality.strip() not in ("0", "0.0", "0.00", "0.000")
    return next((name for name in ("br", "gzip") if name in bodies and offered.get(name)), "")


def _is_known(tag: str, sent: str) -> bool:
    return sent.strip() == "*" or tag in {part.strip().removeprefix("W/") for part in sent.split(",")}
