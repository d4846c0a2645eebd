"""A virus scanner that speaks clamd's INSTREAM and VERSION: it finds one word, and has a limit."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

VIRUS = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
LIMIT = 300_000


@asynccontextmanager
async def fake_clamd(*, alerts_exceeds_max: bool = True, finds: bool = True) -> AsyncIterator[str]:
    """Run it and yield its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = await reader.readuntil(b"\0")
        if command == b"zVERSION\0":
            writer.write(b"ClamAV 1.0.7\0")
            writer.close()
            return
        assert command == b"zINSTREAM\0"
        content = bytearray()
        while size := struct.unpack(">I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(size)
            if len(content) > LIMIT and not alerts_exceeds_max:
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                break
        else:
            found = finds and VIRUS in content and "Eicar-Signature FOUND"
            found = found or (len(content) > LIMIT and "Heuristics.Limits.Exceeded.MaxFileSize FOUND") or "OK"
            writer.write(f"stream: {found}\0".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
