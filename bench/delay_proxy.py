"""A TCP proxy that adds a round-trip time, as a host far away has."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1 << 16


@contextmanager
def delayed(port: int, *, round_trip_seconds: float) -> Iterator[int]:
    """Give the port of a proxy for *port*, both on 127.0.0.1; it delays, it does not throttle."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(round_trip_seconds)  # the TCP handshake
            there = await asyncio.open_connection("127.0.0.1", port)
            one_way = round_trip_seconds / 2
            await asyncio.gather(_pump(reader, there[1], one_way), _pump(there[0], writer, one_way))

        return await asyncio.start_server(accept, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what comes, each piece *delay* seconds after it came."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            loop.call_later(delay, writer.write, data)
    await asyncio.sleep(delay)
    writer.close()
