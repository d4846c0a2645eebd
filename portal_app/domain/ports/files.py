"""Files at Salesforce, as services see them: stored with a record, and fetched."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

# Returns the part of a file with a number.
ReadPart = Callable[[int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file to store. `parts` is how many parts it is read in; `md5` is what Salesforce has to compute too."""

    upload_id: UUID
    name: str = field(repr=False)
    size: int
    media_type: str
    md5: str
    parts: int


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """A file of a case. `entry` is the case or mail that it is linked to; `is_public`: the team shares it."""

    document_id: str
    entry: str
    name: str = field(repr=False)
    size: int
    at: datetime
    is_public: bool


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """The latest version of a file, with what it is linked to: ids of records, and whether the team shares it there."""

    version_id: str
    size: int
    md5: str
    is_malicious: bool
    is_being_scanned: bool
    links: dict[str, bool]


class FileSink(Protocol):
    """Takes a file that is fetched, in order."""

    async def begin(self) -> None:
        """Forget what came so far: the file is fetched from its beginning."""
        ...

    async def write(self, part: bytes) -> None:
        """Take the next part, at most 256 KiB."""
        ...


class FileGateway(Protocol):
    """Salesforce: files of records. Raises as every port does."""

    async def stored(self, file: OutgoingFile) -> str | None:
        """Return the document of an upload that Salesforce has, None where it has none.

        One that arrived damaged is deleted and counts as none.
        """
        ...

    async def store(self, record_id: str, file: OutgoingFile, read: ReadPart) -> None:
        """Store a file with a case or an account. Sent once: `stored` shows whether it arrived.

        Raises OutcomeUnknown, and NotFound where the record is gone.
        """
        ...

    async def file(self, document_id: str) -> RemoteFile:
        """Return a file as it is now. Raises NotFound."""
        ...

    async def fetch(self, version_id: str, sink: FileSink) -> None:
        """Fetch the content of a version. Raises NotFound, and ExternalUnavailable where it is cut."""
        ...
