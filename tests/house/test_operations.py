"""The operator's page: every figure is listed, and every setting is read by somebody."""

import ast
import re
from collections.abc import Iterator

from portal_app import __version__
from portal_app.infra.settings import Settings
from portal_app.models.metadata import METADATA
from tests.support.sources import ROOT, python_files, tree_of

# Read by composed names: the limits of each vendor rate limiter (integrations/build.py).
_OF_LANES = {
    f"{limiter}_{limit}"
    for limiter in ("whmcs", "sf", "sf_long", "freebit")
    for limit in ("concurrency", "rate", "queue", "timeout", "wait")
}
_PAGE = (ROOT / "docs" / "operations.md").read_text()


def figures() -> Iterator[str]:
    for path in python_files("portal_app"):
        for node in ast.walk(tree_of(path)):
            match node:
                case ast.Call(
                    func=ast.Name(id="counter" | "gauge" | "histogram"), args=[ast.Constant(value=str(name)), *_]
                ):
                    yield name


def test_every_figure_is_listed_for_operators() -> None:
    names = set(figures())
    assert len(names) > 15
    assert {name for name in names if f"`{name}" not in _PAGE} == set()


def test_every_listed_figure_exists() -> None:
    listed = set(
        re.findall(r"`(portal_[a-z_]+)(?:\{[a-z, ]+\})?`", _PAGE.partition("## Figures")[2].partition("\n## ")[0])
    )
    assert listed
    assert {name.removesuffix("_total") for name in listed} <= set(figures())


def test_every_table_has_its_place_in_the_table_of_what_is_kept_how_long() -> None:
    told = _PAGE.partition("## How long records are kept")[2].partition("\n## ")[0]
    assert {name for name in METADATA.tables if f"`{name}`" not in told} == set()


def test_only_the_files_of_figures_import_their_library() -> None:
    importing = {
        str(path)
        for path in python_files("portal_app")
        if re.search(r"^(from|import) prometheus_client", (ROOT / path).read_text(), re.M)
    }
    assert importing == {
        "portal_app/infra/metrics.py",
        "portal_app/infra/metrics_folder.py",
        "portal_app/infra/metrics_server.py",
    }


def test_every_setting_is_read_by_somebody() -> None:
    words: set[str] = set()
    for path in python_files("portal_app", "alembic"):
        if not path.name.startswith("settings"):
            words |= set(re.findall(r"\w+", (ROOT / path).read_text()))
    own = (ROOT / "portal_app/infra/settings.py").read_text()
    unread = {name for name in Settings.model_fields if name not in words and f"self.{name}" not in own}
    assert unread - _OF_LANES == set()


def test_the_version_is_the_projects() -> None:
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text()
