"""Fixtures of these tests: the same visitors as the API's, and one web process for all whose limits may be high."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal_app.infra.settings import Settings
from tests.support.running.portal_fixtures import aiko, ben, hana, portal, visitor, web_side, worker
from tests.support.running.web_process import running_web

__all__ = ["aiko", "ben", "hana", "portal", "visitor", "web_side", "worker"]


@pytest.fixture(scope="session")
def web_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the web process that these tests share."""
    return tmp_path_factory.mktemp("web") / "log"


@pytest.fixture(scope="session")
def web(web_log: Path) -> Iterator[Settings]:
    """One web process whose tabs may send as much as these tests do; a file that needs other limits has its own."""
    with running_web(web_log, portal_event_limit="1000000/minute") as settings:
        yield settings
