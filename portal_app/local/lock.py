"""A file lock that is released when its process ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO

from portal_app.local.errors import HomeInUse


class FileLock:
    """A lock by flock(2), which the kernel releases when the holder dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self, *, wait: bool = False) -> None:
        """Acquire the lock. Raises HomeInUse with the holder's pid if it is held and `wait` is false."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            message = f"{self.path.parent} is in use by process {holder}: stop that one or choose another folder."
            raise HomeInUse(message) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Release the lock. The file stays, because removing it would be a race with the next holder."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> "FileLock":
        self.acquire(wait=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()
