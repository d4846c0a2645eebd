"""Reads gettext .po files as they stand: no compile step between a translator and a page."""

import ast
from pathlib import Path


def read_catalogues(folder: Path) -> dict[str, str]:
    """Return {text: translation} of a folder of .po files. Raises ValueError for a text that stands in two of them."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.po")):
        read = _read_catalogue(path)
        if twice := read.keys() & texts.keys():
            raise ValueError(f"{path.name} translates again: {', '.join(sorted(twice))}")
        texts |= read
    return texts


def _read_catalogue(path: Path) -> dict[str, str]:
    # Without plurals or contexts; what is empty or fuzzy is left out.
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
