"""A file that a customer sends in pieces: how far it is, and what goes wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from portal_app.domain.errors import Conflict, InvalidInput, NotFound, PortalError, RateLimited
from portal_app.language.format import Duration
from portal_app.language.phrase import Phrase

# receiving: pieces are missing. received: the check has not ended. checked: it may be sent. refused: `refusal` says
# why. sent: Salesforce has it. removed: the customer took it away.
UploadState = Literal["receiving", "received", "checked", "refused", "sent", "removed"]
# Bytes of a file that are sealed, stored and sent at a time.
PART_BYTES = 256 * 1024
MEGABYTE = 1024 * 1024
# What an upload belongs to before its message is sent: a draft is for a case by its id, or for a new one.
LONGEST_KEY = 40
# The draft of an identity document: pictures and PDFs alone, for the customer's account instead of a case.
DOCUMENT_DRAFT = "identity-document"
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Upload:
    """One file. `received` bytes of `size` are here; `refusal` is the key of a reason, empty without one."""

    id: UUID
    name: str
    size: int
    received: int
    state: UploadState
    refusal: str
    draft: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file that arrived, by the id of its upload; `sha256` is the hash of what came."""

    upload_id: UUID
    sha256: str


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What is taken: bytes of a file, of a message and of a day, files of a message, and pieces at the same time."""

    file_bytes: int
    message_bytes: int
    day_bytes: int
    message_files: int
    at_once: int

    def check_size(self, size: int) -> None:
        """Raise InvalidInput or TooLargeUpload for a size that is never taken."""
        if size <= 0:
            raise InvalidInput({"file": "This file is empty."})
        if size > self.file_bytes:
            raise TooLargeUpload(self.file_bytes)

    def check_day(self, total: int) -> None:
        """Raise RateLimited where the files of a day are more than it may hold."""
        if total > self.day_bytes:
            most, span = self.day_bytes // MEGABYTE, Duration(_DAY)
            words = Phrase("You can send at most {most} MB of files within {span}.", most=most, span=span)
            raise RateLimited(_DAY, user_message=words)

    def check_message(self, sizes: Sequence[int]) -> None:
        """Raise InvalidInput where a message would have too many files or bytes."""
        if len(sizes) > self.message_files:
            words = Phrase("Send at most {most} files with a message.", most=self.message_files)
            raise InvalidInput({"uploads": words})
        if sum(sizes) > self.message_bytes:
            words = Phrase("Send files of at most {most} MB with a message.", most=self.message_bytes // MEGABYTE)
            raise InvalidInput({"uploads": words})


class TooLargeUpload(PortalError):
    """The file is larger than any that is taken."""

    code = "too_large"
    status = 413

    def __init__(self, most: int) -> None:
        super().__init__(
            "file too large", user_message=Phrase("Choose a file of at most {most} MB.", most=most // MEGABYTE)
        )


class WrongOffset(Conflict):
    """A piece does not begin where the last one ended."""

    code = "mismatching_upload_offset"
    user_message = "This piece does not follow the last one."

    def __init__(self, expected: int, provided: int) -> None:
        super().__init__(f"offset {provided} instead of {expected}")
        self.expected = expected
        self.provided = provided


class UploadCompleted(Conflict):
    """All pieces are here already."""

    code = "completed_upload"
    status = 400
    user_message = "This file has arrived completely."


class UploadBusy(Conflict):
    """Another piece of this upload, or too many pieces of this customer, arrive at this moment."""

    code = "upload_busy"
    status = 423
    retryable = True
    user_message = "Another part of this file is arriving. Try again in a moment."


class UploadExpired(NotFound):
    """The upload was not finished or sent in time."""

    code = "upload_expired"
    status = 410
    user_message = "This file was not sent in time and was deleted. Choose it again."
