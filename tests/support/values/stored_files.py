"""A file of three parts to store at Salesforce, and a place for one that is fetched."""

import hashlib
from uuid import uuid4

from portal_app.domain.ports.files import OutgoingFile

PARTS = [bytes([number]) * 100_000 for number in range(3)]
CONTENT = b"".join(PARTS)
FILE = OutgoingFile(uuid4(), '再発行 "a".pdf', len(CONTENT), "application/pdf", hashlib.md5(CONTENT).hexdigest(), 3)


class Sink:
    """Collects what is fetched."""

    def __init__(self) -> None:
        self.content, self.begun = b"", 0

    async def begin(self) -> None:
        """Forget what came."""
        self.content, self.begun = b"", self.begun + 1

    async def write(self, part: bytes) -> None:
        """Take a part."""
        self.content += part


async def read(number: int) -> bytes:
    """Return a part of the file."""
    return PARTS[number]
