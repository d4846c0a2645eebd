"""Office documents for tests: plain ones, and what only looks like one."""

from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"


def office(parts: Mapping[str, bytes], *, types: str | None = _MAIN, outside: str = "") -> bytes:
    """Return a Word document with further parts; `types` None: an archive that is no document."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        if types is not None:
            override = f'<Override PartName="/word/document.xml" ContentType="{types}"/>'
            archive.writestr("[Content_Types].xml", f"<Types>{override}</Types>")
            archive.writestr("word/document.xml", "<document/>")
        if outside:
            link = f'<Relationship Id="a" Type="{_RELATION}" Target="{outside}" TargetMode="External"/>'
            archive.writestr("word/_rels/settings.xml.rels", f"<Relationships>{link}</Relationships>")
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()
