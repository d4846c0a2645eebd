"""Checks an uploaded document: only what decodes as a picture or renders as a PDF passes, and only as pictures."""

import subprocess
import sys
from pathlib import Path, PurePath

from portal_app.domain.errors import InvalidInput
from portal_app.domain.profile.kyc_document import Document, DocumentKind

FIELD = "document"
_FORMS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".pdf": "PDF"}
_KINDS: dict[str, DocumentKind] = {"JPEG": "jpg", "PNG": "jpg", "PDF": "pdf"}
_DECODER = str(Path(__file__).with_name("document_decoder.py"))
_REFUSED = 3
# Wall-clock time; the decoder's own limit on CPU time is shorter on an idle machine.
_LONGEST_SECONDS = 30
_UNREADABLE = {
    "JPEG": "This picture cannot be read. Take it again, or choose another file.",
    "PNG": "This picture cannot be read. Take it again, or choose another file.",
    "PDF": "This PDF cannot be read. Make it again, or use a photo.",
}
_REASONS = {
    "not_plain_picture": "This is not a plain picture. Take a photo of your document and use that.",
    "too_many_pixels": "This picture has too many pixels. Make it smaller.",
    "too_long": "This picture is too long and narrow to be read. Take a photo of your document and use that.",
    "unreadable_pdf": _UNREADABLE["PDF"],
    "not_plain_pdf": "This PDF holds more than pages. Use a plain one, or a photo.",
    "encrypted_pdf": "This PDF has a password. Use one without, or a photo.",
    "too_many_pages": "Use a PDF of at most 20 pages.",
}


def read_document(content: bytes, name: str) -> Document:
    """Return a document as it may be stored. Raises InvalidInput. Takes up to 10 s of one core in another process.

    Pictures are decoded and written again, PDFs rendered: nothing but what is visible is stored (no place, no script,
    no attachment). The process has limits on time and memory, so a file made to be slow or large is one that cannot be
    read.
    """
    if not content:
        raise _refused("Choose a file.")
    form = _FORMS.get(PurePath(name).suffix.lower())
    if form is None:
        raise _refused("Use a JPG, PNG or PDF file.")
    code, output = _decode(content, form)
    if code == 0 and output:
        return Document(_KINDS[form], output)
    reason = _REASONS.get(output.decode(errors="replace")) if code == _REFUSED else None
    raise _refused(reason or _UNREADABLE[form])


def _decode(content: bytes, form: str) -> tuple[int, bytes]:
    """Return the exit code and the output of the decoder; a negative code where it was ended."""
    command = [sys.executable, "-I", _DECODER, form]
    try:
        # No environment: the decoder needs no setting and no secret.
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=_LONGEST_SECONDS, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, b""
    return done.returncode, done.stdout


def _refused(message: str) -> InvalidInput:
    return InvalidInput({FIELD: message})
