"""Inspects one uploaded text or office document in a process of its own: a script without access to the portal.

Standard input: the file. Argument: TEXT or OFFICE. Standard output: the extension that fits the content; the file
itself is sent as it came. Exit code 0: fine; 3: refused, with the key of the reason on standard output. Any other end
of the process means that the file cannot be read.
"""

import resource
import sys
import zipfile
from io import BytesIO
from typing import NoReturn
from xml.etree import ElementTree

REFUSED = 3
CPU_SECONDS, MEMORY_BYTES = 6, 1024**3
_ENCODINGS = ("utf-8-sig", "cp932", "euc_jp")
_CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\r\f\x1b")
_MOST_ENTRIES, _MOST_TIMES, _MOST_BYTES, _LARGEST_LIST = 5000, 100, 400 * 1024 * 1024, 4 * 1024 * 1024
# The record that ends an archive, without a comment behind it.
_END, _END_BYTES = b"PK\x05\x06", 22
_MAIN = {
    "wordprocessingml.document.main+xml": "docx",
    "spreadsheetml.sheet.main+xml": "xlsx",
    "presentationml.presentation.main+xml": "pptx",
}
_PROGRAMS = ("macroenabled", "vbaproject", "activex", "vbadata")
_HYPERLINK = "/hyperlink"


class Refused(Exception):
    """The file is not taken; the argument is the key of the reason."""


def main() -> NoReturn:
    """Inspect standard input, within limits."""
    _limit()
    content = sys.stdin.buffer.read()
    try:
        extension = office(content) if sys.argv[1] == "OFFICE" else text(content)
    except Refused as refused:
        sys.stdout.write(str(refused))
        sys.exit(REFUSED)
    sys.stdout.write(extension)
    sys.exit(0)


def text(content: bytes) -> str:
    """Return "txt" for a text that decodes and holds no control characters."""
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else _ENCODINGS
    for encoding in encodings:
        try:
            decoded = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROLS.isdisjoint(decoded):
            return "txt"
    raise Refused("not_text")


def office(content: bytes) -> str:
    """Return the extension of an OOXML document of bounded expansion without programs, objects and outside parts."""
    # Nothing before the first entry or behind the last: the file is no other kind of file at the same time.
    if content[-_END_BYTES : -_END_BYTES + 4] != _END:
        raise Refused("unreadable_office")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return _document(archive, len(content))
    except (zipfile.BadZipFile, ElementTree.ParseError, ValueError, RuntimeError, OSError) as error:
        raise Refused("unreadable_office") from error


def _document(archive: zipfile.ZipFile, size: int) -> str:
    entries = archive.infolist()
    names = {entry.filename.lower() for entry in entries}
    if "[content_types].xml" not in names:
        raise Refused("archive")
    if min(entry.header_offset for entry in entries) or len(names) != len(entries) or len(entries) > _MOST_ENTRIES:
        raise Refused("unreadable_office")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("unreadable_office")
    if sum(entry.file_size for entry in entries) > min(_MOST_BYTES, size * _MOST_TIMES):
        raise Refused("unreadable_office")
    if any(word in name for name in names for word in _PROGRAMS):
        raise Refused("macros")
    if any("embeddings/" in name for name in names):
        raise Refused("not_plain_office")
    types = _types(archive)
    if any(word in each for each in types for word in _PROGRAMS):
        raise Refused("macros")
    _check_relations(archive)
    found = [extension for main, extension in _MAIN.items() if any(each.endswith(main) for each in types)]
    if len(found) != 1:
        raise Refused("archive")
    return found[0]


def _types(archive: zipfile.ZipFile) -> list[str]:
    """Return the content types of all parts, in lower case."""
    name = next(each for each in archive.namelist() if each.lower() == "[content_types].xml")
    return [str(element.get("ContentType", "")).lower() for element in _parsed(archive, name).iter()]


def _check_relations(archive: zipfile.ZipFile) -> None:
    """Refuse what is loaded from outside when the document is opened: templates, pictures, data."""
    for name in archive.namelist():
        if not name.lower().endswith(".rels"):
            continue
        for element in _parsed(archive, name).iter():
            is_outside = element.get("TargetMode", "").lower() == "external"
            if is_outside and not element.get("Type", "").lower().endswith(_HYPERLINK):
                raise Refused("not_plain_office")


def _parsed(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if archive.getinfo(name).file_size > _LARGEST_LIST:
        raise Refused("unreadable_office")
    written = archive.read(name)
    if b"<!DOCTYPE" in written or b"<!ENTITY" in written:
        raise Refused("unreadable_office")
    # The limits of this process bound what a hostile document can take.
    return ElementTree.fromstring(written)  # noqa: S314


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # No file is written and no core dumped: the document must not lie on a disk in the clear.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
