"""Documents for tests: good ones, and what only looks like one."""

import os
from io import BytesIO

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NullObject,
    NumberObject,
    TextStringObject,
)

ARCHIVE_END = b"PK\x05\x06" + b"\0" * 18


def picture(form: str = "JPEG", *, size: tuple[int, int] = (320, 200), colour: int = 0x336699) -> bytes:
    """Return a picture, another one for another colour."""
    written = BytesIO()
    Image.new("RGB", size, colour).save(written, form)
    return written.getvalue()


def noisy_picture(size: int) -> bytes:
    """Return a PNG of at least this many bytes, which no compression makes smaller."""
    side = int((size / 3) ** 0.5) + 1
    written = BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(written, "PNG", compress_level=0)
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


def active_pdf(kind: str) -> bytes:
    """Return a PDF of one page with something that acts below the page, by the name of what it is."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 100)
    script = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    program = {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("calc.exe")}
    action = DictionaryObject(program if kind == "program" else script)
    annotation = {
        NameObject("/Type"): NameObject("/Annot"),
        NameObject("/Subtype"): NameObject("/FileAttachment" if kind == "attachment" else "/Link"),
        NameObject("/Rect"): ArrayObject(map(NumberObject, (0, 0, 100, 100))),
    }
    if kind == "attachment":
        stream = DecodedStreamObject()
        stream.set_data(b"MZ an executable")
        files = DictionaryObject({NameObject("/F"): writer._add_object(stream)})
        named = {NameObject("/Type"): NameObject("/Filespec"), NameObject("/EF"): files}
        annotation[NameObject("/FS")] = DictionaryObject({**named, NameObject("/F"): TextStringObject("x.exe")})
    elif kind == "page":
        page[NameObject("/AA")] = DictionaryObject({NameObject("/O"): action})
    else:
        annotation[NameObject("/A")] = action
    page[NameObject("/Annots")] = ArrayObject([DictionaryObject(annotation)])
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def pdf_that_begins_at_a_page() -> bytes:
    """Return a PDF as LibreOffice writes it: its OpenAction only says where to begin."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 100)
    place = [page.indirect_reference, NameObject("/XYZ"), NullObject(), NullObject(), NumberObject(0)]
    writer.root_object[NameObject("/OpenAction")] = ArrayObject(place)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def pdf_of_many_lines(lines: int) -> bytes:
    """Return a small PDF whose page takes long to render: so many lines, packed well."""
    writer = PdfWriter()
    page = writer.add_blank_page(2000, 2000)
    stream = DecodedStreamObject()
    stream.set_data(b"0 0 m 2000 1999 l S\n" * lines)
    page[NameObject("/Contents")] = writer._add_object(stream.flate_encode())
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def jpeg_of_many_scans(scans: int, *, side: int = 6000) -> bytes:
    """Return a progressive JPEG with one scan repeated: each costs the decoder a walk over all pixels."""
    written = BytesIO()
    Image.new("RGB", (side, side)).save(written, "JPEG", progressive=True)
    content = written.getvalue()
    start = content.index(b"\xff\xda", content.index(b"\xff\xda") + 2)
    end = content.index(b"\xff\xda", start + 2)
    return content[:end] + content[start:end] * scans + content[end:]
