"""A folder shows what it holds at one look: so many files that nobody has to search among them."""

from collections import Counter
from pathlib import Path

from tests.support.sources import python_files

MOST_FILES = 16
# One file per table, per element of the design system, and per part of one vendor's wire.
FLAT = ("portal_app/models", "portal_app/components")
VENDORS = Path("portal_app/integrations")


def test_no_folder_of_the_product_has_more_than_sixteen_files() -> None:
    counts = Counter(path.parent for path in python_files("portal_app") if path.name != "__init__.py")
    crowded = {
        str(folder): files
        for folder, files in counts.items()
        if files > MOST_FILES and str(folder) not in FLAT and folder.parent != VENDORS
    }
    assert crowded == {}
