"""Only pictures and plain PDFs pass as documents, and of a picture only what is to be seen on it."""

from io import BytesIO

import pytest
from PIL import Image

from portal_app.domain.errors import InvalidInput
from portal_app.infra.security.document_check import FIELD, read_document
from tests.documents import ARCHIVE_END, pdf, picture


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("card.jpg", picture(), "jpg"),
        ("CARD.JPEG", picture(), "jpg"),
        ("card.png", picture("PNG"), "jpg"),
        ("card.pdf", pdf(pages=2), "pdf"),
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
    ],
)
def test_anything_else_is_refused_in_words_for_its_field(name: str, content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_document(content, name)
    assert set(refused.value.fields) == {FIELD}


def test_where_a_picture_was_taken_does_not_go_on_and_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "35.6895 N 139.6917 E"
    taken = BytesIO()
    Image.new("RGB", (300, 200)).save(taken, "JPEG", exif=exif)
    passed_on = read_document(taken.getvalue(), "card.jpg").content
    with Image.open(BytesIO(passed_on)) as seen:
        assert seen.size == (200, 300)
    assert b"139.6917" in taken.getvalue() and b"139.6917" not in passed_on
