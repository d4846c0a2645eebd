"""Files that come whole in a native form: taken as uploads of one piece, while they arrive."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

from portal_app.domain.errors import PortalError
from portal_app.domain.uploads.upload import FormFile
from portal_app.services.uploads.receiving import Receiving
from portal_app.services.uploads.uploads import Uploads


class FormFiles:
    """Take files of unknown length."""

    def __init__(self, uploads: Uploads, receiving: Receiving) -> None:
        self._uploads = uploads
        self._receiving = receiving

    async def take(self, user_id: UUID, content: AsyncIterator[bytes], *, name: str, draft: str, most: int) -> FormFile:
        """Store a file of at most `most` bytes; nothing is left of one that does not arrive whole.

        Raises TooLargeUpload, RateLimited, UploadBusy.
        """
        sha256 = hashlib.sha256()

        async def hashed() -> AsyncIterator[bytes]:
            async for part in content:
                sha256.update(part)
                yield part

        most = min(most, self._uploads.limits.file_bytes)
        # The size is known at the end; until then the file counts as the largest that may come.
        upload_id = UUID(await self._uploads.begin(user_id, name=name, size=most, draft=draft))
        try:
            await self._receiving.receive(user_id, upload_id, offset=0, piece=hashed(), is_whole=True)
        except BaseException:
            await self.remove(user_id, upload_id)
            raise
        return FormFile(upload_id, sha256.hexdigest())

    async def remove(self, user_id: UUID, upload_id: UUID) -> None:
        """Take a file away that was used for nothing."""
        with contextlib.suppress(PortalError):
            await self._uploads.remove(user_id, upload_id)
