"""Checks uploaded documents: accepts images that decode, which are re-encoded, and PDFs without active content."""

import re
from io import BytesIO
from pathlib import PurePath
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.Image import DecompressionBombError
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.kyc_document import Document

FIELD = "document"
_IMAGES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
_MOST_PIXELS, _LONGEST_SIDE, _QUALITY, _MOST_PAGES = 60_000_000, 4000, 90, 20
# Marks of polyglot files, which are valid as another type too; an archive is found by its end record.
_POLYGLOT = re.compile(rb"%PDF-|<script|<html|<\?php|<!doctype", re.IGNORECASE)
_ARCHIVE, _TAIL = b"PK\x05\x06", 66_000
_ACTIVE = ("/OpenAction", "/AA", "/AcroForm", "/Collection")
_NAMED = ("/JavaScript", "/EmbeddedFiles")


def read_document(content: bytes, name: str) -> Document:
    """Return a document that is safe to pass on. Raises InvalidInput; takes up to a second of one core.

    An image is decoded and re-encoded, which removes metadata (such as the location) and embedded files.
    """
    ending = PurePath(name).suffix.lower()
    if not content:
        raise _refused("Choose a file.")
    if ending in _IMAGES:
        return Document("jpg", _picture(content, _IMAGES[ending]))
    if ending == ".pdf":
        _check_pdf(content)
        return Document("pdf", content)
    raise _refused("Use a JPG, PNG or PDF file.")


def _picture(content: bytes, form: str) -> bytes:
    if _POLYGLOT.search(content) or _ARCHIVE in content[-_TAIL:]:
        raise _refused("This is not a plain picture. Take a photo of your document and use that.")
    try:
        with Image.open(BytesIO(content), formats=[form]) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise _refused("This picture has too many pixels. Make it smaller.")
            image.load()
            plain = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise _refused("This picture cannot be read. Take it again, or choose another file.") from error
    plain.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    written = BytesIO()
    plain.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()


def _check_pdf(content: bytes) -> None:
    if not content.startswith(b"%PDF-") or not content.rstrip(b"\r\n\0 ").endswith(b"%%EOF"):
        raise _refused("This PDF cannot be read. Make it again, or use a photo.")
    if _ARCHIVE in content[-_TAIL:]:
        raise _refused("This is not a plain PDF. Use a photo of your document.")
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted:
            raise _refused("This PDF has a password. Use one without, or a photo.")
        if not 0 < len(reader.pages) <= _MOST_PAGES:
            raise _refused("Use a PDF of at most 20 pages.")
        root = reader.root_object
        names: Any = root["/Names"].get_object() if "/Names" in root else {}
        is_active = any(name in root for name in _ACTIVE) or any(name in names for name in _NAMED)
    except (PyPdfError, RecursionError, KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise _refused("This PDF cannot be read. Make it again, or use a photo.") from error
    if is_active:
        raise _refused("This PDF holds more than pages. Use a plain one, or a photo.")


def _refused(message: str) -> InvalidInput:
    return InvalidInput({FIELD: message})
