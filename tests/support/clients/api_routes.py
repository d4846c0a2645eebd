"""The routes of the API, as it describes itself."""

import re

from portal_app.api.application import build_api
from tests.support.running.world import world


def changing_routes() -> list[tuple[str, str]]:
    """Return method and path of all that changes something for a browser, as the API describes itself."""
    paths = build_api(world().settings).openapi()["paths"]
    return [
        (method.upper(), re.sub(r"\{\w+\}", "1", path))
        for path, methods in paths.items()
        for method in methods
        if method in ("post", "put", "patch", "delete") and not path.startswith("/api/webhooks/")
    ]
