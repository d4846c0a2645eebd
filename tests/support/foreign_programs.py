"""The only reason to skip a test: a third-party program that this machine does not have."""

import shutil
from pathlib import Path

import pytest


def need(program: str, *, get: str, found: bool | None = None) -> Path:
    """Return the path of a program, or skip the test and say how to `get` it; `found` overrides the search."""
    place = shutil.which(program)
    if place is None or found is False:
        pytest.skip(f"{program} is missing: {get}")
    return Path(place)
