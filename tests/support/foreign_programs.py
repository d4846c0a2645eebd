"""The one door through which a test may be left out: a program of somebody else's that this machine does not have."""

import shutil
from pathlib import Path

import pytest


def need(program: str, *, get: str, found: bool | None = None) -> Path:
    """Return where a program is, or leave the test out and say how to `get` it; `found` overrules the search."""
    place = shutil.which(program)
    if place is None or found is False:
        pytest.skip(f"{program} is missing: {get}")
    return Path(place)
