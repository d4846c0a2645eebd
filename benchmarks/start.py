"""The time from the demo's command to "Ready": in a new home, and again in the same home."""

from benchmarks.demo import Demo, running_demo
from benchmarks.stage import Stage
from benchmarks.table import Row, within
from portal_app.local.ports import free_port

FIRST_LIMIT, WARM_LIMIT = 60, 15


def measure(stage: Stage) -> list[Row]:
    """Start the demo twice. The pages are built before, so both starts reuse them."""
    home, port = stage.scratch / "start", free_port()
    with running_demo(home, port=port) as first:
        pass
    with running_demo(home, port=port) as warm:
        pass
    return [
        within(f"start: fresh home, {_pages(first)}", first.seconds, "s", limit=FIRST_LIMIT),
        within(f"start: same home again, {_pages(warm)}", warm.seconds, "s", limit=WARM_LIMIT),
    ]


def _pages(demo: Demo) -> str:
    return "pages rebuilt" if demo.has_built else "built pages reused"
