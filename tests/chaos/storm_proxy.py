"""A TCP proxy as the internet is: some connections are slow, some are cut in mid-request or in mid-answer."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 64 << 10
SLOW_CHUNK, SLOW_SECONDS = 1000, 0.003


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one connection: cut after so many bytes of one direction, or only slow."""

    slow: bool = False
    request_bytes: int | None = None
    answer_bytes: int | None = None


def fate_of(dice: random.Random) -> Fate:
    """Half are cut in a request, half in an answer, sooner or later; a quarter is slow."""
    slow = dice.random() < 0.25
    bytes_until_cut = int(10 ** dice.uniform(2, 6.3))
    if dice.random() < 0.5:
        return Fate(slow, request_bytes=bytes_until_cut)
    return Fate(slow, answer_bytes=bytes_until_cut // 3)


@dataclass
class Proxy:
    """Connections to one address, each with its fate; `seen` counts what was done to them."""

    host: str
    port: int
    dice: random.Random
    own_port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until either side is gone or the fate is met."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        fate = fate_of(self.dice)
        self.seen["slow"] += fate.slow
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()
            return
        ways = [
            asyncio.create_task(self._pass(reader, upstream_writer, fate.request_bytes, "request", fate.slow)),
            asyncio.create_task(self._pass(upstream_reader, writer, fate.answer_bytes, "answer", fate.slow)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.transport.abort()
            upstream_writer.transport.abort()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None, what: str, slow: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(SLOW_CHUNK if slow else CHUNK):
                if slow:
                    await asyncio.sleep(SLOW_SECONDS)
                writer.write(data if left is None else data[:left])
                await writer.drain()
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        self.seen[f"cut in mid-{what}"] += 1
                        return

    async def close(self) -> None:
        """End what is open."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


@asynccontextmanager
async def proxy(host: str, port: int, dice: random.Random) -> AsyncIterator[Proxy]:
    """One that listens on a port of its own."""
    one = Proxy(host, port, dice)
    server = await asyncio.start_server(one.accept, "127.0.0.1", 0)
    one.own_port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await one.close()
        await server.wait_closed()
