"""Files and functions stay small enough to read in one sitting."""

from pathlib import Path

from tests.support.sources import ROOT, functions_in, python_files

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
LONGEST_VIEW = 60
MIGRATIONS = Path("alembic/versions")
PAGES = Path("portal_app/pages")


def readable_files() -> list[Path]:
    return [path for path in python_files() if not path.is_relative_to(MIGRATIONS)]


def test_no_python_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in readable_files()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_forty_lines_or_sixty_in_pages() -> None:
    too_long = {}
    for path in readable_files():
        limit = LONGEST_VIEW if path.is_relative_to(PAGES) else LONGEST_FUNCTION
        for function in functions_in(path):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > limit:
                too_long[f"{path}:{function.lineno} {function.name}"] = lines
    assert too_long == {}
