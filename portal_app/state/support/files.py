"""Files on the support pages: those of a message, and what a form says of those that are sent with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal_app.domain.errors import InvalidInput
from portal_app.domain.identifiers import our_id
from portal_app.domain.support.message import Entry, EntryFile
from portal_app.domain.uploads.file_kind import REFUSALS
from portal_app.domain.uploads.upload import MEGABYTE
from portal_app.language import _

_MOST_IDS = 100
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp")
# Signatures of mails bring many little pictures, among which the one file that matters is lost.
_SMALL, _FEW = 20 * 1024, 3


@dataclass(frozen=True)
class FileRow:
    """One file beside a message."""

    name: str
    size: str
    href: str
    note: str


@dataclass(frozen=True)
class Files:
    """The files of a message, those that are folded, and the words for these."""

    shown: list[FileRow]
    small: list[FileRow]
    small_words: str


def files_of(entry: Entry, case_id: str) -> Files:
    """Return an entry's files as rows: documents first, many small pictures apart."""
    small = [file for file in entry.files if file.size < _SMALL and file.name.lower().endswith(_PICTURES)]
    if len(small) <= _FEW:
        small = []
    shown = [file for file in entry.files if file not in small]
    return Files(
        [_row(file, case_id) for file in sorted(shown, key=lambda each: each.name.lower().endswith(_PICTURES))],
        [_row(file, case_id) for file in small],
        _("{count} small pictures").format(count=len(small)),
    )


def uploads_of(form: Mapping[str, Any]) -> list[UUID]:
    """Return the uploads that a form sends along. Raises InvalidInput while one is on its way or refused."""
    if form.get("uploads_waiting"):
        raise InvalidInput({"uploads": "Wait until your files have arrived, or remove those that cannot be sent."})
    ids = str(form.get("uploads") or "").split(",")[:_MOST_IDS]
    return [our_id(each) for each in ids if each]


def _row(file: EntryFile, case_id: str) -> FileRow:
    href = f"/api/cases/{case_id}/files/{file.id}" if file.id else ""
    return FileRow(file.name, _size(file.size), href, _note(file))


def _note(file: EntryFile) -> str:
    if file.state == "refused":
        return _(REFUSALS.get(file.refusal, REFUSALS["not_accepted"]))
    if file.id:
        return ""
    return _("Being checked") if file.state == "received" else _("Will be sent")


def _size(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE else f"{max(1, round(size / 1024))} KB"
