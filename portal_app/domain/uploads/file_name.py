"""Names of files: what people wrote, without what would do harm on another machine."""

import unicodedata

LONGEST_NAME = 120
_NOT_IN_NAMES = frozenset('/\\:*?"<>|')
_UNNAMED = "file"
# Extensions that say no more than the content does: kept as they are where the content is of their kind.
_ALIKE = {"jpg": {"jpg", "jpeg"}, "txt": {"txt", "csv", "log", "md", "text"}}


def clean_name(name: str) -> str:
    """Return a file's name in NFC: its last path segment, without control, bidi and path characters, not too long.

    Japanese is kept as it is. A name of which nothing is left is called "file".
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    # Cc: control, Cf: bidi marks and zero-width characters, Cs, Co, Cn: no characters at all; Zl, Zp: line ends.
    kept = "".join(
        each
        for each in last
        if each not in _NOT_IN_NAMES and unicodedata.category(each)[0] != "C" and each not in "\u2028\u2029"
    )
    kept = " ".join(kept.split()).strip(". ")
    stem, dot, extension = kept.rpartition(".")
    if dot and len(extension) <= 10:
        stem = stem[: LONGEST_NAME - len(extension) - 1].rstrip(". ")
        return f"{stem or _UNNAMED}.{extension}"
    return kept[:LONGEST_NAME].rstrip(". ") or _UNNAMED


def named_by_content(name: str, extension: str) -> str:
    """Return a clean name that ends in the extension of its content, so that no name promises something else."""
    stem, dot, given = name.rpartition(".")
    if dot and given.lower() in _ALIKE.get(extension, {extension}):
        return f"{stem}.{given.lower()}"
    # An extension that lies goes; a dot within a name without one stays.
    base = stem if dot and len(given) <= 10 and given.isascii() and given.isalnum() else name
    return f"{base[: LONGEST_NAME - len(extension) - 1]}.{extension}"
