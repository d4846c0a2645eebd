"""Installs the NestJS service from npm into the work folder and serves it, with a token that it accepts."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OctKey
from redis import Redis

from benchmarks.peers.serve import running
from portal_app.local.ports import free_port

_SOURCES = Path(__file__).parent / "nest"
_SUBJECT = "ben"


@dataclass(frozen=True)
class NestPeer:
    """The running service: URL, Cookie header of its customer, and the Redis key of the list."""

    url: str
    cookies: str
    redis_url: str

    def keep(self, answer: bytes) -> None:
        """Store the list in the service's Valkey."""
        with Redis.from_url(self.redis_url) as redis:
            redis.set(f"invoices:{_SUBJECT}", answer)


def has_node() -> bool:
    """Return whether Node and npm are installed."""
    return bool(shutil.which("node") and shutil.which("npm"))


@contextmanager
def nest_peer(work: Path, *, redis_url: str) -> Iterator[NestPeer]:
    """Install the service below `work` if necessary, and serve it in one process, like the other servers."""
    folder, port, secret = work / "nest", free_port(), secrets.token_hex(32)
    shutil.copytree(_SOURCES, folder, dirs_exist_ok=True)
    if not (folder / "node_modules").is_dir():
        _install(folder)
    settings = {
        **os.environ,
        "NODE_ENV": "production",
        "PEER_PORT": str(port),
        "PEER_SECRET": secret,
        "PEER_REDIS_URL": redis_url,
    }
    peer = NestPeer(f"http://127.0.0.1:{port}", f"access={_token(secret)}", redis_url)
    with running(["node", "server.mjs"], folder, settings=settings, ready=f"{peer.url}/ready"):
        yield peer


def _install(folder: Path) -> None:
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"The NestJS peer could not be installed:\n{done.stderr[-3000:]}")


def _token(secret: str) -> str:
    """Return a token with the same claims as the portal's access tokens."""
    now = int(time.time())
    claims = {
        "iss": "portal",
        "aud": "portal-web",
        "sub": _SUBJECT,
        "sid": secrets.token_hex(16),
        "amr": ["pwd"],
        "jti": secrets.token_urlsafe(12),
        "iat": now,
        "nbf": now - 30,
        "exp": now + 3600,
    }
    return jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, OctKey.import_key(secret))
