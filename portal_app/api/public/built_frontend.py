"""The built frontend as the web process serves it: page files, the script hashes of each, the one address."""

import base64
import functools
import hashlib
import posixpath
import re
from pathlib import Path

from portal_app.frontend_files import client_folder

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)
_ENVIRONMENT = re.compile(r"^reflex-env-[\w-]+\.js$")
_OF_A_TEMPLATE = re.compile(r"^((?:/ja)?/help)/[a-z0-9-]+\Z", re.ASCII)
_ADDRESS = re.compile(r"(https?|wss?)://[A-Za-z0-9.-]+(:\d+)?")


def page_file(path: str) -> Path | None:
    """Return the prerendered file of a page's path, or None."""
    return _pages().get(path.strip("/") or ".")


def template_path(path: str) -> str:
    """Return the path of the page whose file a path is answered with: all help articles share one."""
    return _OF_A_TEMPLATE.sub(r"\1/article", path)


def document_file(path: str) -> Path | None:
    """Return the file that a document's path is answered with, None where nothing is built.

    It is the page's own prerendered file; routes with a parameter and unknown paths share the static server's 404.html.
    """
    # As the static server reads it: with repeated slashes and dots resolved.
    plain = posixpath.normpath("/" + path.strip("/"))
    return page_file(template_path(plain.removesuffix("/index.html"))) or _shared_file()


@functools.cache
def script_hashes(file: Path) -> tuple[str, ...]:
    """Return the hashes of a built file's inline scripts, in the words of a content security policy."""
    found = {
        "'sha256-" + base64.b64encode(hashlib.sha256(match[1].encode()).digest()).decode() + "'"
        for match in _INLINE.finditer(file.read_text())
    }
    return tuple(sorted(found))


@functools.lru_cache(maxsize=16)
def environment_script(name: str, portal_url: str) -> bytes | None:
    """Return the script that tells the browser where the server is, with this portal's own address.

    Reflex bakes the address into the build; one build must serve every address.
    """
    path = client_folder() / "assets" / name
    if not _ENVIRONMENT.match(name) or not path.is_file():
        return None
    page, host = portal_url.split("://", 1)
    socket = "wss" if page == "https" else "ws"

    def ours(match: re.Match[str]) -> str:
        return f"{socket if match[1].startswith('ws') else page}://{host}"

    return _ADDRESS.sub(ours, path.read_text()).encode()


@functools.cache
def _shared_file() -> Path | None:
    file = client_folder() / "404.html"
    return file if file.is_file() else None


@functools.cache
def _pages() -> dict[str, Path]:
    # Looked up among what was built: a path that somebody made up never reaches the file system.
    root = client_folder()
    return {file.parent.relative_to(root).as_posix(): file for file in root.rglob("index.html")}
