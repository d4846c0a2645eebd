"""What a page loads of the build: the framework and its own parts, nothing that only other pages need."""

import json

from portal_app.local.frontend import OUTPUT, ROOT
from tests.support.running.demo import Demo


def routes_of_build() -> dict[str, set[str]]:
    """Return the scripts that each page loads, by its route; "root" is what every page loads."""
    (manifest,) = (ROOT / OUTPUT / "assets").glob("manifest-*.js")
    text = manifest.read_text().removeprefix("window.__reactRouterManifest=").rstrip(";\n")
    routes = json.loads(text)["routes"]
    return {name: {route["module"], *route["imports"]} for name, route in routes.items()}


def test_no_page_loads_a_script_of_another_page(demo: Demo) -> None:
    assert demo.url
    routes = routes_of_build()
    framework = routes.pop("root")
    assert len(routes) > 80
    # Every page with a frame watches its connection by this script of ours.
    connection = {script for scripts in routes.values() for script in scripts if script.startswith("/assets/line-")}
    assert len(connection) == 1
    own = {name: scripts - framework - connection for name, scripts in routes.items()}
    assert {name: scripts for name, scripts in own.items() if len(scripts) != 1} == {}
    assert len(set().union(*own.values())) == len(own)
