"""The build of the pages: when it runs, when it does not, and how it fails. The builder here is a small script."""

import sys
import threading
from pathlib import Path

import pytest

from portal_app.local.errors import LocalError
from portal_app.local.frontend import build_frontend

BUILDER = (
    "from pathlib import Path; import time; out = Path('.web/build/client'); out.mkdir(parents=True, exist_ok=True);"
    "out.joinpath('index.html').write_text('built'); time.sleep(0.2);"
    "Path('builds').open('a').write('x')"
)
COMMAND = (sys.executable, "-c", BUILDER)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "portal_app" / "pages").mkdir(parents=True)
    (tmp_path / "portal_app" / "pages" / "home.py").write_text("title = 'Home'")
    (tmp_path / "rxconfig.py").write_text("config = None")
    return tmp_path


def silent(line: str) -> None:
    del line


def builds(root: Path) -> int:
    return len((root / "builds").read_text())


def test_the_pages_are_built_once_while_nothing_changes(root: Path) -> None:
    for _ in range(2):
        assert build_frontend(root, say=silent, command=COMMAND) == root / ".web/build/client"
    assert builds(root) == 1


def test_a_changed_page_is_built_again(root: Path) -> None:
    build_frontend(root, say=silent, command=COMMAND)
    (root / "portal_app" / "pages" / "home.py").write_text("title = 'Welcome'")
    build_frontend(root, say=silent, command=COMMAND)
    assert builds(root) == 2


def test_a_removed_page_is_built_again(root: Path) -> None:
    build_frontend(root, say=silent, command=COMMAND)
    (root / "portal_app" / "pages" / "home.py").unlink()
    build_frontend(root, say=silent, command=COMMAND)
    assert builds(root) == 2


def test_two_builders_at_once_build_only_once(root: Path) -> None:
    threads = [
        threading.Thread(target=build_frontend, args=(root,), kwargs={"say": silent, "command": COMMAND}) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert builds(root) == 1


def test_a_failing_build_is_quoted_and_tried_again_next_time(root: Path) -> None:
    broken = (sys.executable, "-c", "raise SystemExit('no such component')")
    with pytest.raises(LocalError, match="no such component"):
        build_frontend(root, say=silent, command=broken)
    build_frontend(root, say=silent, command=COMMAND)
    assert builds(root) == 1


def test_a_lock_that_names_an_unreachable_mirror_is_dropped_once(root: Path) -> None:
    (root / "reflex.lock").mkdir()
    refuses = "import pathlib, sys; pathlib.Path('reflex.lock').exists() and sys.exit(1);"
    said: list[str] = []
    build_frontend(root, say=said.append, command=(sys.executable, "-c", refuses + BUILDER))
    assert not (root / "reflex.lock").exists()
    assert any("from scratch" in line for line in said)


def test_an_old_system_node_is_hidden_behind_the_wheels_bun(root: Path) -> None:
    teller = (sys.executable, "-c", "import shutil; open('node', 'w').write(shutil.which('node'));" + BUILDER)
    build_frontend(root, say=silent, command=teller)
    assert Path((root / "node").read_text()).resolve() == (Path(sys.executable).parent / "bun").resolve()
