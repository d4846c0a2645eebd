"""Reads gettext .po files directly, so that translations need no compile step."""

import ast
from pathlib import Path


def read_catalogues(folder: Path) -> dict[str, str]:
    """Return {text: translation} for a folder of .po files. Raises ValueError for a text in two files."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.po")):
        read = _read_catalogue(path)
        if duplicates := read.keys() & texts.keys():
            raise ValueError(f"{path.name} translates again: {', '.join(sorted(duplicates))}")
        texts |= read
    return texts


def _read_catalogue(path: Path) -> dict[str, str]:
    # Plurals and contexts are not supported; empty and fuzzy translations are left out.
    catalogue: dict[str, str] = {}
    for entry in path.read_text(encoding="utf-8").split("\n\n"):
        text, translation, fuzzy = _read_entry(entry)
        if text and translation and not fuzzy:
            catalogue[text] = translation
    return catalogue


def _read_entry(entry: str) -> tuple[str, str, bool]:
    parts = {"msgid": "", "msgstr": ""}
    keyword, fuzzy = "", False
    for line in entry.splitlines():
        if line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        head, _, rest = line.partition(" ")
        if head in parts:
            keyword, line = head, rest
        if keyword and line.startswith('"'):
            parts[keyword] += ast.literal_eval(line)
    return parts["msgid"], parts["msgstr"], fuzzy
