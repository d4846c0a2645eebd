"""Only pictures and plain PDFs pass as documents, and of a picture only what is to be seen on it."""

from io import BytesIO

import pytest
from PIL import Image

from portal_app.domain.errors import InvalidInput
from portal_app.infra.security.document_check import FIELD, read_document
from tests.support.values.documents import (
    ARCHIVE_END,
    active_pdf,
    jpeg_of_many_scans,
    pdf,
    pdf_of_many_lines,
    pdf_that_begins_at_a_page,
    picture,
)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("card.jpg", picture(), "jpg"),
        ("CARD.JPEG", picture(), "jpg"),
        ("card.png", picture("PNG"), "jpg"),
        ("card.pdf", pdf(pages=2), "pdf"),
        ("card.pdf", pdf_that_begins_at_a_page(), "pdf"),
    ],
)
def test_picture_or_pdf_is_taken(name: str, content: bytes, kind: str) -> None:
    assert read_document(content, name).kind == kind


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("card.jpg", b""),
        ("card.jpg", b"\xff\xd8\xff\xe0 only begins like one"),
        ("card.jpg", picture("PNG")),
        ("card.png", picture()),
        ("card.gif", picture("GIF")),
        ("card.jpg.exe", picture()),
        ("card", picture()),
        ("card.jpg", picture()[:-400]),
        ("card.jpg", picture() + pdf()),
        ("card.png", picture("PNG") + ARCHIVE_END),
        ("card.png", picture("PNG") + b"<ScRiPt>alert(1)</script>"),
        ("card.png", picture("PNG", size=(9000, 9000))),
        ("card.pdf", b"%PDF-1.7 and nothing else %%EOF"),
        ("card.pdf", picture()),
        ("card.pdf", b"<html>" + pdf()),
        ("card.pdf", pdf() + ARCHIVE_END),
        ("card.pdf", pdf(script=True)),
        ("card.pdf", pdf(password="secret")),
        ("card.pdf", pdf(pages=21)),
        ("card.png", picture("PNG", size=(8000, 60))),
    ],
)
def test_anything_else_is_refused_in_words_for_its_field(name: str, content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_document(content, name)
    assert set(refused.value.fields) == {FIELD}


def test_location_metadata_is_dropped_and_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "35.6895 N 139.6917 E"
    taken = BytesIO()
    Image.new("RGB", (300, 200)).save(taken, "JPEG", exif=exif)
    passed_on = read_document(taken.getvalue(), "card.jpg").content
    with Image.open(BytesIO(passed_on)) as seen:
        assert seen.size == (200, 300)
    assert b"139.6917" in taken.getvalue() and b"139.6917" not in passed_on


@pytest.mark.parametrize("kind", ["link", "page", "program", "attachment"])
def test_active_pdf_content_is_not_stored(kind: str) -> None:
    sent = active_pdf(kind)
    assert any(mark in sent for mark in (b"/JavaScript", b"/Launch", b"/EF"))
    stored = read_document(sent, "card.pdf").content
    marks = (b"/JS", b"/JavaScript", b"/Launch", b"/EF", b"/EmbeddedFile", b"/Annots", b"/AA", b"/Action", b"calc.exe")
    assert stored.startswith(b"%PDF-") and [mark for mark in marks if mark in stored] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("card.pdf", pdf_of_many_lines(2_000_000)), ("card.jpg", jpeg_of_many_scans(200))],
)
def test_a_document_made_to_take_minutes_is_refused(name: str, content: bytes) -> None:
    assert len(content) < 5_000_000
    with pytest.raises(InvalidInput):
        read_document(content, name)


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
def test_no_kind_of_picture_loses_its_contents(name: str, content: bytes) -> None:
    stored = read_document(content, name).content
    with Image.open(BytesIO(stored)) as seen:
        paper, ink = (seen.convert("L").getpixel(place) for place in ((8, 8), (45, 45)))
    assert abs(paper - ink) > 120
    if name == "grey16.png":
        assert abs(paper - 214) < 6 and abs(ink - 35) < 6


def test_a_picture_on_which_nothing_is_visible_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_document(ink_on_paper("RGBA", (0, 0, 0, 0), (10, 10, 10, 0)), "card.png")
