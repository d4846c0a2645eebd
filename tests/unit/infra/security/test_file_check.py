"""Files by content: what passes and under which extension, and what is refused with which reason."""

from collections.abc import AsyncIterator

import pytest

from portal_app.domain.uploads.file_kind import MOST_TEXT, kind_of
from portal_app.infra.security.file_check import FileRefused, check_content
from tests.support.values.documents import ARCHIVE_END, active_pdf, pdf, picture
from tests.support.values.office import office


async def outcome(content: bytes) -> tuple[str, int]:
    """Return the extension or reason, and how many bytes were written."""
    written = bytearray()

    async def parts() -> AsyncIterator[bytes]:
        for begin in range(0, len(content), 100_000):
            yield content[begin : begin + 100_000]

    async def write(part: bytes) -> None:
        written.extend(part)

    kind = kind_of(content[:4096], len(content))
    if isinstance(kind, str):
        return kind, 0
    try:
        return await check_content(kind, parts(), write), len(written)
    except FileRefused as refused:
        return refused.reason, len(written)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (picture() + pdf(), "not_plain_picture"),
        (picture("PNG") + ARCHIVE_END, "not_plain_picture"),
        (picture()[:200], "unreadable_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "markup"),
        (b"\xef\xbb\xbf <!DOCTYPE html><script>1</script>", "markup"),
        ("<html onload=alert(1)>".encode("utf-16"), "markup"),
        (b"MZ\0\0", "unknown_kind"),
        (b"text\x07\x01", "not_text"),
        (b"x" * (MOST_TEXT + 1), "too_much_text"),
        (pdf(script=True), "not_plain_pdf"),
        (pdf(password="x"), "encrypted_pdf"),
        (active_pdf("page")[:-7], "unreadable_pdf"),
        (office({"a.txt": b"x"}, types=None), "archive"),
        (office({"word/vbaProject.bin": b"x"}), "macros"),
        (office({}, types="application/vnd.ms-word.document.macroEnabled.main+xml"), "macros"),
        (office({"word/embeddings/oleObject1.bin": b"x"}), "not_plain_office"),
        (office({"word/bomb.xml": b"\0" * 20_000_000}), "unreadable_office"),
        (office({}) + b"<script>", "unreadable_office"),
        (office({}) + office({}), "unreadable_office"),
        (office({}, outside="https://evil.example/t.dotm"), "not_plain_office"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 20, "heic"),
        (b"Rar!\x1a\x07", "archive"),
    ],
)
async def test_what_is_active_disguised_or_a_bomb_is_refused(content: bytes, reason: str) -> None:
    assert await outcome(content) == (reason, 0)


@pytest.mark.parametrize(
    ("content", "extension", "is_written"),
    [
        (picture(), "jpg", True),
        (picture("PNG"), "jpg", True),
        (pdf(), "pdf", True),
        ("請求書".encode("cp932"), "txt", False),
        ("請求書".encode("utf-16"), "txt", False),
        (b"\x1b[31mred\x1b[0m\r\n", "txt", False),
        (office({"word/media/image1.png": picture("PNG")}), "docx", False),
    ],
)
async def test_pictures_and_pdfs_are_written_again_and_others_pass_as_they_are(
    content: bytes, extension: str, is_written: bool
) -> None:
    found, written = await outcome(content)
    assert (found, written > 0) == (extension, is_written)
