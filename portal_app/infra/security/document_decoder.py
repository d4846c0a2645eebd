"""Decodes one uploaded document in a process of its own: a script without access to anything of the portal.

Standard input: the file. Argument: JPEG, PNG or PDF. Standard output: the document as it may be stored, pictures only.
Exit code 0: done; 3: refused, with the key of the reason (REASONS) on standard output. Any other end of the process
(a limit on time or memory, a crash of a decoder) means that the file cannot be read.

A PDF is rendered, page by page: scripts, links, forms, attachments and programs in it are not on the pictures.
"""

import re
import resource
import sys
from io import BytesIO
from typing import Any, NoReturn

from PIL import Image, ImageOps, ImageStat
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

REFUSED = 3
CPU_SECONDS, MEMORY_BYTES = 6, 1024**3
MOST_PIXELS, LONGEST_SIDE, MOST_PAGES = 60_000_000, 4000, 20
_PAGE_SIDE, _QUALITY, _PAGE_QUALITY = 2200, 90, 80
# A strip longer than this many times its width would be unreadable once it is made small.
_LONGEST_STRIP = 10
# Each scan of a progressive JPEG is a walk over all pixels; cameras and editors write about ten.
_START_OF_SCAN, _MOST_SCANS = b"\xff\xda", 100
# What makes a file another kind of file at the same time; an archive is found by its end.
_FOREIGN = re.compile(rb"%PDF-|<script|<html|<\?php|<!doctype", re.IGNORECASE)
_ARCHIVE, _TAIL = b"PK\x05\x06", 66_000
_ACTIVE = ("/AA", "/AcroForm", "/Collection")
_NAMED = ("/JavaScript", "/EmbeddedFiles")


class Refused(Exception):
    """The file is not taken; the argument is the key of the reason."""


def main() -> NoReturn:
    """Decode standard input to standard output, within limits."""
    _limit()
    content = sys.stdin.buffer.read()
    try:
        document = _rendered(content) if sys.argv[1] == "PDF" else picture(content, sys.argv[1])
    except Refused as refused:
        sys.stdout.write(str(refused))
        sys.exit(REFUSED)
    sys.stdout.buffer.write(document)
    sys.stdout.buffer.flush()
    sys.exit(0)


def picture(content: bytes, form: str) -> bytes:
    """Return a picture written again as JPEG, upright, on an opaque background."""
    if _FOREIGN.search(content) or _ARCHIVE in content[-_TAIL:]:
        raise Refused("not_plain_picture")
    if form == "JPEG" and content.count(_START_OF_SCAN) > _MOST_SCANS:
        raise Refused("not_plain_picture")
    with Image.open(BytesIO(content), formats=[form]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Refused("too_many_pixels")
        if max(image.size) > _LONGEST_STRIP * min(image.size) and max(image.size) > LONGEST_SIDE:
            raise Refused("too_long")
        if form == "PNG" and getattr(image, "is_animated", False):
            raise Refused("not_plain_picture")
        # A JPEG is decoded at a smaller scale where that is enough.
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
        plain = _opaque(_eight_bits(ImageOps.exif_transpose(image)))
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = BytesIO()
    plain.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a picture of more than eight bits scaled down; converting alone would cut it off, to white."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _opaque(image: Image.Image) -> Image.Image:
    """Return a picture as RGB, what is transparent on the background that shows its contents best."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    alpha = layered.getchannel("A")
    if alpha.getextrema()[1] == 0:
        # Nothing is visible: what is hidden under it is no document.
        raise Refused("not_plain_picture")
    brightness = ImageStat.Stat(layered.convert("L"), mask=alpha.point(lambda value: 255 if value else 0)).mean[0]
    background = Image.new("RGBA", layered.size, "white" if brightness < 160 else "black")
    return Image.alpha_composite(background, layered).convert("RGB")


def _rendered(content: bytes) -> bytes:
    """Return a PDF that consists of pictures of the pages of another one."""
    if not content.startswith(b"%PDF-") or not content.rstrip(b"\r\n\0 ").endswith(b"%%EOF"):
        raise Refused("unreadable_pdf")
    if _ARCHIVE in content[-_TAIL:]:
        raise Refused("not_plain_pdf")
    _check_structure(content)
    # Imported late: pictures need no renderer.
    import pypdfium2  # noqa: PLC0415

    pages = []
    with pypdfium2.PdfDocument(content) as document:
        for page in document:
            scale = _PAGE_SIDE / max(*page.get_size(), 1)
            shown = page.render(scale=min(scale, 10), may_draw_forms=False).to_pil().convert("RGB")
            packed = BytesIO()
            shown.save(packed, "JPEG", quality=_PAGE_QUALITY)
            pages.append(Image.open(packed))
    written = BytesIO()
    pages[0].save(written, "PDF", save_all=True, append_images=pages[1:], resolution=190, quality=_PAGE_QUALITY)
    return written.getvalue()


def _check_structure(content: bytes) -> None:
    """Refuse a PDF that acts when it is opened, so that its sender learns why; the rest is rendered away."""
    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted:
        raise Refused("encrypted_pdf")
    if not 0 < len(reader.pages) <= MOST_PAGES:
        raise Refused("too_many_pages")
    root = reader.root_object
    names: Any = root["/Names"].get_object() if "/Names" in root else {}
    opening: Any = root["/OpenAction"].get_object() if "/OpenAction" in root else None
    # A place to begin at is an array, or an action that only goes there.
    acts = isinstance(opening, DictionaryObject) and opening.get("/S") != "/GoTo"
    if acts or any(name in root for name in _ACTIVE) or any(name in names for name in _NAMED):
        raise Refused("not_plain_pdf")


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # No file is written and no core dumped: the document must not lie on a disk in the clear.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
