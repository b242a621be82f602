"""A network with a round trip: a proxy on loopback that passes bytes on later.

Each request waits one round trip, each connection two more before its first: one for TCP and one
for TLS 1.3. Bytes are as fast as ever, so what is long suffers less here than in real life.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 16
_HANDSHAKES = 2


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[str]:
    """Give an address before that port from which a round trip takes so many seconds more."""
    loop = asyncio.new_event_loop()
    proxy = _Proxy(port, seconds)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(proxy.listen(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(proxy.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Proxy:
    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._seconds = seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> str:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=128)
        return "http://{}:{}".format(*self._server.sockets[0].getsockname())

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as one
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(asyncio.CancelledError, OSError):
            await asyncio.sleep(_HANDSHAKES * self._seconds)
            inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(
                self._relay(reader, outer, self._seconds), self._relay(inner, writer, 0)
            )
        writer.close()

    async def _relay(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float
    ) -> None:
        """Pass on what comes, each piece so many seconds after it came, the end as well."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        passing = asyncio.create_task(self._pass_on(pieces, sink))
        loop = asyncio.get_running_loop()
        piece = b"-"
        try:
            while piece:
                piece = await source.read(_PIECE)
                pieces.put_nowait((loop.time() + seconds, piece))
            await passing
        finally:
            passing.cancel()

    async def _pass_on(
        self, pieces: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter
    ) -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            if not piece:
                sink.close()
                return
            sink.write(piece)
            await sink.drain()
