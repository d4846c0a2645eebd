"""Files of a message on a page: the real file first, pictures of signatures folded, each with what it is up to."""

from datetime import UTC, datetime

import pytest

from portal_app.domain.errors import InvalidInput
from portal_app.domain.support.message import Entry, EntryFile
from portal_app.state.support.files import files_of, uploads_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_twelve_logos_of_a_mail_are_folded_behind_its_one_document() -> None:
    logos = [EntryFile(f"069{number}", f"image{number:03}.png", 4_000) for number in range(12)]
    letter = EntryFile("069x", "契約書.pdf", 3 * 1024 * 1024)
    files = files_of(Entry("02s", "mail", "team", "", "", NOW, files=(*logos, letter)), "7")
    assert [(file.name, file.size, file.href) for file in files.shown] == [
        ("契約書.pdf", "3.0 MB", "/api/cases/7/files/069x")
    ]
    assert (len(files.small), files.small_words) == (12, "12 small pictures")


def test_a_file_on_its_way_has_a_word_and_no_link() -> None:
    own = (
        EntryFile("", "a.txt", 10, "received"),
        EntryFile("", "b.txt", 10, "checked"),
        EntryFile("", "c.txt", 10, "refused", "macros"),
        EntryFile("", "d.txt", 10, "refused", "an unknown reason"),
    )
    rows = files_of(Entry("1", "comment", "customer", "", "", NOW, files=own), "7").shown
    assert {row.href for row in rows} == {""}
    assert [row.note.split(" ")[0] for row in rows] == ["Being", "Will", "This", "Our"]


def test_a_form_with_files_on_their_way_is_told_to_wait() -> None:
    with pytest.raises(InvalidInput):
        uploads_of({"uploads": "", "uploads_waiting": "yes"})
    assert uploads_of({}) == []
