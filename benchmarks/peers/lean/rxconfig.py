"""The portal's configuration for the lean peer."""

import os

import reflex as rx

from benchmarks.peers.settings import of_every_peer
from portal_app.components.tokens import TAILWIND

config = rx.Config(
    app_name="lean",
    app_module_import="lean",
    redis_url=os.environ["PEER_REDIS_URL"],
    state_manager_mode="redis",
    plugins=[rx.plugins.TailwindV4Plugin(config=TAILWIND)],
    disable_plugins=[rx.plugins.SitemapPlugin],
    **of_every_peer(),
)
