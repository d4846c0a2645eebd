"""Architecture and recipes are true: the picture is the import rules', and every path they name exists."""

import re
from pathlib import Path

from docs.layer_diagram import PAGE, layers, rules, with_diagram
from tests.support.sources import ROOT, tracked

GUIDES = [Path("docs/architecture.md"), *sorted(path.relative_to(ROOT) for path in ROOT.glob("docs/how-to/*.md"))]
NAMED = re.compile(r"`((?:portal_app|tests|sandbox|docs|deploy)/[\w./-]*)`")
LINKED = re.compile(r"\]\(([\w./-]+\.md)\)")
# Files and folders that a recipe tells its reader to create.
EXAMPLES = re.compile(r"acme|sim_lost|orders/history\.py|reminder")
LONGEST_RECIPE = 60


def test_the_picture_of_the_layers_is_the_one_of_the_import_rules() -> None:
    assert len(layers()) > 5 and len(rules()) > 5
    page = PAGE.read_text(encoding="utf-8")
    assert with_diagram(page) == page, "run: python docs/layer_diagram.py"


def test_every_path_that_the_guides_name_exists() -> None:
    missing = [
        f"{guide}: {name}"
        for guide in GUIDES
        for name in NAMED.findall((ROOT / guide).read_text(encoding="utf-8"))
        if not EXAMPLES.search(name) and not (ROOT / name).exists()
    ]
    assert missing == []


def test_every_document_that_the_guides_link_exists() -> None:
    missing = [
        f"{guide}: {link}"
        for guide in GUIDES
        for link in LINKED.findall((ROOT / guide).read_text(encoding="utf-8"))
        if not (ROOT / guide.parent / link).exists()
    ]
    assert missing == []


def test_every_recipe_is_short_and_in_the_list_of_recipes() -> None:
    recipes = [path for path in tracked() if path.parent == Path("docs/how-to") and path.name != "README.md"]
    index = (ROOT / "docs/how-to/README.md").read_text(encoding="utf-8")
    assert recipes and [str(path) for path in recipes if f"({path.name})" not in index] == []
    long = [str(path) for path in recipes if len((ROOT / path).read_text().splitlines()) >= LONGEST_RECIPE]
    assert long == []
