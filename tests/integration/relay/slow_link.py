"""A Kafka behind a link that lets few bytes a second through, for all connections together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from compose.devstack.kafka import HOST, KafkaServer

CHUNK = 8 << 10


@dataclass(frozen=True)
class FarKafka(KafkaServer):
    """One that tells its clients to come by another port."""

    advertised_port: int = 0

    def prepare(self) -> None:
        """The last of two properties of one name counts."""
        super().prepare()
        with self._properties.open("a", encoding="utf-8") as properties:
            properties.write(f"advertised.listeners=PLAINTEXT://{HOST}:{self.advertised_port}\n")


@dataclass
class SlowLink:
    """Passes on at most so many bytes a second to the server; what comes back is not held up."""

    port: int
    bytes_per_second: int
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends."""
        there, back = await asyncio.open_connection(HOST, self.port)
        ways = {
            asyncio.create_task(self._pass(reader, back, slowly=True)),
            asyncio.create_task(self._pass(there, writer, slowly=False)),
        }
        self._tasks |= ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._tasks -= ways
        writer.transport.abort()
        back.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if slowly:
                    async with self._turn:
                        await asyncio.sleep(len(data) / self.bytes_per_second)
                writer.write(data)
                await writer.drain()

    def cut(self) -> None:
        """End every connection."""
        for one in self._tasks:
            one.cancel()


@asynccontextmanager
async def slow_link(port: int, to: int, bytes_per_second: int) -> AsyncIterator[None]:
    """Listen on one port for the server on another."""
    link = SlowLink(to, bytes_per_second)
    server = await asyncio.start_server(link.serve, HOST, port, limit=CHUNK)
    try:
        yield
    finally:
        server.close()
        link.cut()
        await server.wait_closed()
