"""Documents for tests: good ones, and what only looks like one."""

from io import BytesIO

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

ARCHIVE_END = b"PK\x05\x06" + b"\0" * 18


def picture(form: str = "JPEG", *, size: tuple[int, int] = (320, 200), colour: int = 0x336699) -> bytes:
    """Return a picture, another one for another colour."""
    written = BytesIO()
    Image.new("RGB", size, colour).save(written, form)
    return written.getvalue()


def pdf(*, pages: int = 1, script: bool = False, password: str = "") -> bytes:
    """Return a PDF of blank pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 100)
    if script:
        action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)
    if password:
        writer.encrypt(password)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()
