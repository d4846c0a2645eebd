"""Reads a gettext .po file as it stands: no compile step between a translator and a page."""

import ast
from pathlib import Path


def read_catalogue(path: Path) -> dict[str, str]:
    """Return {text: translation} of a .po file without plurals or contexts; empty and fuzzy ones are left out."""
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
