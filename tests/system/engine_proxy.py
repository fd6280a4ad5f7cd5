"""A socket of our own in front of the container engine's: it can be taken away and put back.

So "the engine is down" can be tried on a machine whose engine others are using.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path


class EngineProxy:
    """Forwards a unix socket to the engine's, in a thread of its own."""

    def __init__(self, path: Path, engine: str) -> None:
        self.path = path
        self._engine = engine
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """What `docker_url` has to be."""
        return f"unix://{self.path}"

    def start(self) -> None:
        """Answer as the engine."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def stop(self) -> None:
        """Be gone, with all connections that are open."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)

    def let_nobody_in(self) -> None:
        """Be as an engine that shuts down: who is connected is still answered."""
        if self._server:
            self._loop.call_soon_threadsafe(self._server.close)
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def _stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        self.path.unlink(missing_ok=True)
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._links.add(task)
        try:
            engine_reader, engine_writer = await asyncio.open_unix_connection(self._engine)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_copy(reader, engine_writer))
                    group.create_task(_copy(engine_reader, writer))
            finally:
                engine_writer.close()
        except* (OSError, asyncio.CancelledError):
            pass  # one side has gone: so does the other
        finally:
            writer.close()
            self._links.discard(task)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    with contextlib.suppress(OSError):
        target.write_eof()  # the other direction may still have something to say
