"""What must never be committed: addresses of package indexes, paths of one machine, unfinished work."""

import re

from tests.support.sources import text_files

# Written in pieces, so that this file does not find itself.
INDEX_HOSTS = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "npm" + "mirror.com"]
INDEX_HOSTS += ["deb." + "debian.org", "tuna.tsing" + "hua", "art" + "ifactory", "index" + "-url", "index" + "_url"]
# The one flag that keeps addresses out of the lock files.
ALLOWED = "--no-emit-index" + "-url"
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:work|root|Users|home/\w+)/\w")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b|\bNotImplemented" + "Error")
SKIPPED = re.compile(r"\bpytest\.(?:mark\.)?(?:sk" + r"ip|skip" + r"if|xf" + r"ail|importor" + r"skip)\b")
PROSE = {".md"}
# Leaves a test out only where somebody else's program is missing.
THE_ONE_DOOR = "tests/support/foreign_programs.py"


def lines_with(pattern: re.Pattern[str], *, prose: bool = True) -> list[str]:
    """Find the pattern in tracked files; without `prose` neither in documents nor in generated stubs."""
    return [
        f"{path}:{number}"
        for path, text in text_files()
        if prose or not (path.suffix in PROSE or "proto" in path.parts)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line.replace(ALLOWED, ""))
    ]


def test_no_committed_file_names_a_package_index_or_mirror() -> None:
    assert lines_with(re.compile("|".join(map(re.escape, INDEX_HOSTS)), re.IGNORECASE)) == []


def test_no_committed_file_holds_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_no_source_file_leaves_work_for_later() -> None:
    assert lines_with(UNFINISHED, prose=False) == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    found = lines_with(SKIPPED, prose=False)
    assert [place for place in found if place.partition(":")[0] != THE_ONE_DOOR] == []
