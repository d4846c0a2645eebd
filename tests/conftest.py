"""How the tests are shared out among the processes of `pytest -n`."""

from pathlib import Path

import pytest

_ROOT = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and all journeys: they walk through one demo."""
    for item in items:
        place = item.path.relative_to(_ROOT)
        group = place.parts[0] if place.parts[0] == "journeys" else str(place)
        item.add_marker(pytest.mark.xdist_group(group))
