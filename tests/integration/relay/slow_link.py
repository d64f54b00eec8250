"""A Kafka behind a link that lets few bytes a second through, for all connections together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from compose.devstack.servers.kafka import HOST, KafkaServer
from tests.tcp_proxy import AbruptProxy, listening

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
class SlowLink(AbruptProxy):
    """Passes on at most so many bytes a second to the server; what comes back is not held up."""

    bytes_per_second: int = 1 << 20
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        """What the client sends, after its time."""
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                async with self._turn:
                    await asyncio.sleep(len(data) / self.bytes_per_second)
                server.write(data)
                await server.drain()


@asynccontextmanager
async def slow_link(port: int, to: int, bytes_per_second: int) -> AsyncIterator[None]:
    """Listen on one port for the server on another."""
    async with listening(SlowLink(HOST, to, bytes_per_second=bytes_per_second), port, CHUNK):
        yield
