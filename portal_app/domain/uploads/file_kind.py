"""The kinds of files that are taken, told by content, and what is said of others."""

from dataclasses import dataclass
from typing import Literal

# How the check treats a file: decoded by the picture or PDF decoder, or inspected and sent as it is.
Treatment = Literal["JPEG", "PNG", "PDF", "TEXT", "OFFICE"]
MOST_TEXT = 2 * 1024 * 1024
REFUSALS = {
    "unknown_kind": "Files of this kind cannot be sent. Use a JPG, PNG, PDF, text, Word, Excel or PowerPoint file.",
    "heic": "HEIC photos cannot be sent. Save the photo as a JPG first.",
    "archive": "Archives cannot be sent. Send the files in it one by one.",
    "markup": "Web pages and SVG pictures cannot be sent. Send a screenshot or a PDF.",
    "too_much_text": "Text files can have at most 2 MB.",
    "not_text": "This text cannot be read. Save it as UTF-8.",
    "macros": "This document holds macros or other programs. Save it without them.",
    "not_plain_office": "This document holds other files or refers to others. Send a PDF of it.",
    "unreadable_office": "This document cannot be read. Send a PDF of it.",
    "not_plain_picture": "This is not a plain picture. Take a screenshot of it and send that.",
    "too_many_pixels": "This picture has too many pixels. Make it smaller.",
    "too_long": "This picture is too long and narrow. Send it in several pieces.",
    "unreadable_picture": "This picture cannot be read. Choose another file.",
    "unreadable_pdf": "This PDF cannot be read. Make it again.",
    "not_plain_pdf": "This PDF holds more than pages. Use a plain one.",
    "encrypted_pdf": "This PDF has a password. Use one without.",
    "too_many_pages": "Use a PDF of at most 20 pages.",
    "malware": "Our virus scanner found something in this file, so it was deleted.",
    "no_document": "Use a JPG, PNG or PDF file.",
    "not_accepted": "Our system did not accept this file. Send it in another form.",
}


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind that may be taken. `extension` and `media_type` are those of what is sent, not of what came."""

    treatment: Treatment
    extension: str
    media_type: str
    refusal: str


JPEG = FileKind("JPEG", "jpg", "image/jpeg", "unreadable_picture")
PNG = FileKind("PNG", "jpg", "image/jpeg", "unreadable_picture")
PDF = FileKind("PDF", "pdf", "application/pdf", "unreadable_pdf")
TEXT = FileKind("TEXT", "txt", "text/plain", "not_text")
OFFICE = FileKind("OFFICE", "", "application/octet-stream", "unreadable_office")
# What an identity document may be.
DOCUMENT_KINDS = (JPEG, PNG, PDF)
_OOXML = "application/vnd.openxmlformats-officedocument."
OFFICE_TYPES = {
    "docx": _OOXML + "wordprocessingml.document",
    "xlsx": _OOXML + "spreadsheetml.sheet",
    "pptx": _OOXML + "presentationml.presentation",
}
_SIGNATURES = ((b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG), (b"%PDF-", PDF), (b"PK\x03\x04", OFFICE))
_ARCHIVES = (b"PK\x05\x06", b"PK\x07\x08", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_HEIF = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"})
_MARKUP = (b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script", b"<?php", b"<body", b"<head")


def kind_of(head: bytes, size: int) -> FileKind | str:
    """Return the kind that the first bytes of a file tell, or the key of the reason why it is not taken."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        return "archive"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "heic"
    if _is_markup(head):
        return "markup"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "unknown_kind"
    return TEXT if size <= MOST_TEXT else "too_much_text"


def _is_markup(head: bytes) -> bool:
    """Say whether a text begins as a document that a browser would run."""
    start = head[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    return start.startswith(b"<") and any(mark in start for mark in _MARKUP)
