"""Only pictures and plain PDFs pass as documents, and of a picture only what is to be seen on it."""

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from PIL import Image

from portal_app.domain.uploads.file_kind import DOCUMENT_KINDS, kind_of
from portal_app.infra.security.file_check import FileRefused, check_content
from tests.support.values.documents import (
    ARCHIVE_END,
    active_pdf,
    jpeg_of_many_scans,
    pdf,
    pdf_of_many_lines,
    pdf_that_begins_at_a_page,
    picture,
)


async def checked(content: bytes) -> tuple[str, bytes]:
    """Return extension and content of what is sent. Raises FileRefused."""
    kind, written = kind_of(content[:4096], len(content)), bytearray()
    if kind not in DOCUMENT_KINDS:
        raise FileRefused("no_document")

    async def parts() -> AsyncIterator[bytes]:
        for begin in range(0, len(content), 100_000):
            yield content[begin : begin + 100_000]

    async def write(part: bytes) -> None:
        written.extend(part)

    return await check_content(kind, parts(), write), bytes(written)


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (picture(), "jpg"),
        (picture("PNG"), "jpg"),
        (pdf(pages=2), "pdf"),
        (pdf_that_begins_at_a_page(), "pdf"),
    ],
)
async def test_picture_or_pdf_is_taken(content: bytes, extension: str) -> None:
    assert (await checked(content))[0] == extension


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no_document"),
        (b"\xff\xd8\xff\xe0 only begins like one", "unreadable_picture"),
        (picture("GIF"), "no_document"),
        (picture()[:-400], "unreadable_picture"),
        (picture() + pdf(), "not_plain_picture"),
        (picture("PNG") + ARCHIVE_END, "not_plain_picture"),
        (picture("PNG") + b"<ScRiPt>alert(1)</script>", "not_plain_picture"),
        (picture("PNG", size=(9000, 9000)), "too_many_pixels"),
        (b"%PDF-1.7 and nothing else %%EOF", "unreadable_pdf"),
        (b"<html>" + pdf(), "no_document"),
        (pdf() + ARCHIVE_END, "unreadable_pdf"),
        (pdf(script=True), "not_plain_pdf"),
        (pdf(password="secret"), "encrypted_pdf"),
        (pdf(pages=21), "too_many_pages"),
        (picture("PNG", size=(8000, 60)), "too_long"),
        (pdf_of_many_lines(2_000_000), "unreadable_pdf"),
        (jpeg_of_many_scans(200), "not_plain_picture"),
    ],
)
async def test_anything_else_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    assert len(content) < 5_000_000
    with pytest.raises(FileRefused) as refused:
        await checked(content)
    assert refused.value.reason == reason


async def test_location_metadata_is_dropped_and_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "35.6895 N 139.6917 E"
    taken = BytesIO()
    Image.new("RGB", (300, 200)).save(taken, "JPEG", exif=exif)
    _, passed_on = await checked(taken.getvalue())
    with Image.open(BytesIO(passed_on)) as seen:
        assert seen.size == (200, 300)
    assert b"139.6917" in taken.getvalue() and b"139.6917" not in passed_on


@pytest.mark.parametrize("kind", ["link", "page", "program", "attachment"])
async def test_active_pdf_content_is_not_stored(kind: str) -> None:
    sent = active_pdf(kind)
    assert any(mark in sent for mark in (b"/JavaScript", b"/Launch", b"/EF"))
    _, stored = await checked(sent)
    marks = (b"/JS", b"/JavaScript", b"/Launch", b"/EF", b"/EmbeddedFile", b"/Annots", b"/AA", b"/Action", b"calc.exe")
    assert stored.startswith(b"%PDF-") and [mark for mark in marks if mark in stored] == []


def ink_on_paper(mode: str, paper: object, ink: object, **kept: object) -> bytes:
    """Return a picture of one mode with a dark, or light, field in the middle of its paper."""
    image = Image.new(mode, (90, 90), paper)
    image.paste(ink, (30, 30, 60, 60))
    written = BytesIO()
    image.save(written, "JPEG" if mode == "CMYK" else "PNG", **kept)
    return written.getvalue()


def palette_with_transparent_paper() -> bytes:
    image = Image.new("P", (90, 90), 0)
    image.putpalette([0, 0, 0, 20, 20, 20])
    image.paste(1, (30, 30, 60, 60))
    written = BytesIO()
    image.save(written, "PNG", transparency=0)
    return written.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("grey16.png", ink_on_paper("I;16", 54900, 9000)),
        ("grey8.png", ink_on_paper("L", 214, 35)),
        ("bits.png", ink_on_paper("1", 1, 0)),
        ("cmyk.jpg", ink_on_paper("CMYK", (0, 0, 0, 30), (0, 0, 0, 230))),
        ("dark ink.png", ink_on_paper("RGBA", (0, 0, 0, 0), (10, 10, 10, 255))),
        ("light ink.png", ink_on_paper("RGBA", (255, 255, 255, 0), (250, 250, 250, 255))),
        ("grey and alpha.png", ink_on_paper("LA", (0, 0), (30, 255))),
        ("palette.png", palette_with_transparent_paper()),
    ],
)
async def test_no_kind_of_picture_loses_its_contents(name: str, content: bytes) -> None:
    _, stored = await checked(content)
    with Image.open(BytesIO(stored)) as seen:
        paper, ink = (seen.convert("L").getpixel(place) for place in ((8, 8), (45, 45)))
    assert abs(paper - ink) > 120
    if name == "grey16.png":
        assert abs(paper - 214) < 6 and abs(ink - 35) < 6


async def test_a_picture_on_which_nothing_is_visible_is_refused() -> None:
    with pytest.raises(FileRefused, match="not_plain_picture"):
        await checked(ink_on_paper("RGBA", (0, 0, 0, 0), (10, 10, 10, 0)))
