"""A proxy in front of a server that a test can close, slow down or silence; other clients are not affected."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Gate:
    """One address in front of a server. `seconds` is how long each answer takes longer; closed, it hangs up on all.

    Silent, it keeps its connections, takes what is sent and forwards nothing, in either direction.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port, self.server_port = 0, port
        self.seconds = 0.0
        self._server_at = host, port
        self._is_closed = self._is_silent_to_new = False
        self._silenced: set[asyncio.StreamWriter] = set()
        self._waiting: set[asyncio.StreamWriter] = set()
        self._ways: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def close(self) -> None:
        """Hang up on every connection, open and new."""
        self._is_closed = True
        self._loop.call_soon_threadsafe(self._hang_up)

    def fall_silent(self, *, also_to_new: bool = False) -> None:
        """Forward nothing any more on the connections that are open; new ones pass, unless they are to hang, too."""
        self._is_silent_to_new = also_to_new
        done = threading.Event()

        def silence() -> None:
            self._silenced |= self._ways
            done.set()

        self._loop.call_soon_threadsafe(silence)
        done.wait(10)

    def open(self) -> None:
        """Pass all new connections again, without delay; those that hang are closed, silenced ones stay silent."""
        self._is_closed, self._is_silent_to_new, self.seconds = False, False, 0.0
        self._loop.call_soon_threadsafe(self._send_away)

    def start(self) -> None:
        """Begin to listen on a free port."""
        self._thread.start()
        self._ready.wait(10)

    def stop(self) -> None:
        """Stop and close all connections."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._stand())
        self._loop.close()

    async def _stand(self) -> None:
        async with await asyncio.start_server(self._let_through, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._over.wait()
            self._hang_up()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    def _hang_up(self) -> None:
        self._send_away()
        for way in self._ways:
            way.transport.abort()

    def _send_away(self) -> None:
        for way in self._waiting:
            way.transport.abort()
        self._waiting.clear()

    async def _let_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._is_closed:
                raise ConnectionRefusedError("closed")
            if self._is_silent_to_new:
                self._waiting.add(writer)
                await self._over.wait()
                return
            inner_reader, inner_writer = await asyncio.open_connection(*self._server_at)
        except OSError:
            # Closed, or the server behind it is down.
            writer.transport.abort()
            return
        self._ways |= {writer, inner_writer}
        try:
            await asyncio.gather(self._pass(reader, inner_writer), self._pass(inner_reader, writer, is_answer=True))
        finally:
            self._ways -= {writer, inner_writer}

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if writer in self._silenced:
                    continue
                if is_answer and self.seconds:
                    await asyncio.sleep(self.seconds)
                writer.write(data)
                await writer.drain()
        if writer in self._silenced:
            await self._over.wait()
        writer.close()


@contextmanager
def gate_to(url: str) -> Iterator[tuple[Gate, str]]:
    """Yield a gate in front of a server, and the server's address through it."""
    parts = urlsplit(url)
    gate = Gate(str(parts.hostname), int(parts.port or 0))
    gate.start()
    try:
        here = parts.netloc.rpartition(":")[0]
        yield gate, urlunsplit(parts._replace(netloc=f"{here}:{gate.port}"))
    finally:
        gate.stop()
