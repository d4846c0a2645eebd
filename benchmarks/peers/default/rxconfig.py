"""The framework's configuration of a new app, served with the same compression as the portal."""

import reflex as rx

from benchmarks.peers.settings import of_every_peer

config = rx.Config(
    app_name="default",
    app_module_import="default",
    plugins=[rx.plugins.SitemapPlugin(), rx.plugins.TailwindV4Plugin(), rx.plugins.RadixThemesPlugin()],
    **of_every_peer(),
)
