"""Has an uploaded file decoded or inspected in a process of its own, part by part in and out."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from portal_app.domain.uploads.file_kind import REFUSALS, FileKind, Treatment
from portal_app.domain.uploads.upload import PART_BYTES

_DECODED: frozenset[Treatment] = frozenset({"JPEG", "PNG", "PDF"})
_DECODER = str(Path(__file__).with_name("document_decoder.py"))
_INSPECTOR = str(Path(__file__).with_name("file_inspector.py"))
_REFUSED = 3
# Wall-clock time; the process's own limit on CPU time is shorter on an idle machine.
_LONGEST_SECONDS = 60
Write = Callable[[bytes], Awaitable[None]]


class FileRefused(Exception):
    """The file is not taken; `reason` is the key of why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def check_content(kind: FileKind, parts: AsyncIterator[bytes], write: Write) -> str:
    """Return the extension that fits a file's content. Raises FileRefused.

    Pictures and PDFs are written again, by `write` part by part; other files are only inspected. The process has limits
    on time and memory, so a file made to be slow or large is one that cannot be read.
    """
    is_decoded = kind.treatment in _DECODED
    script = _DECODER if is_decoded else _INSPECTOR
    pipe = asyncio.subprocess.PIPE
    # No environment: the process needs no setting and no secret.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", script, kind.treatment, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env={}
    )
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            await _feed(process, parts)
            rest, has_more = await _drain(process, write if is_decoded else None)
            code = await process.wait()
    except TimeoutError as error:
        raise FileRefused(kind.refusal) from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if code == 0 and (rest or has_more):
        if is_decoded:
            if rest:
                await write(rest)
            return kind.extension
        return rest.decode("ascii", "replace")
    reason = rest.decode("ascii", "replace") if code == _REFUSED and not has_more else ""
    raise FileRefused(reason if reason in REFUSALS else kind.refusal)


async def _feed(process: asyncio.subprocess.Process, parts: AsyncIterator[bytes]) -> None:
    assert process.stdin is not None
    # A process that has seen enough closes its end.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for part in parts:
            process.stdin.write(part)
            await process.stdin.drain()
    process.stdin.close()


async def _drain(process: asyncio.subprocess.Process, write: Write | None) -> tuple[bytes, bool]:
    """Write all full parts of the output; return the last one, and whether others were before it."""
    assert process.stdout is not None
    held, has_more = bytearray(), False
    while chunk := await process.stdout.read(PART_BYTES):
        held += chunk
        while write is not None and len(held) > PART_BYTES:
            await write(bytes(held[:PART_BYTES]))
            del held[:PART_BYTES]
            has_more = True
    return bytes(held), has_more
