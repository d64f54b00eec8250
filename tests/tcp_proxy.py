"""A TCP proxy before one address; a subclass decides what becomes of the bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"
CHUNK = 64 << 10


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()


@dataclass
class TcpProxy:
    """Passes everything on, both ways, until either side ends; then both are cut."""

    host: str
    port: int
    _ways: set[asyncio.Task[None]] = field(default_factory=set)

    async def ask(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        """What the client sends."""
        await pass_on(reader, server)

    async def answer(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """What the server sends."""
        await pass_on(reader, client)

    async def serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """One connection, until either way ends."""
        try:
            answers, server = await asyncio.open_connection(self.host, self.port)
        except OSError:
            client.transport.abort()
            return
        coroutines = self.ask(reader, server, client), self.answer(answers, client)
        ways = {asyncio.create_task(one) for one in coroutines}
        self._ways |= ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for one in ways:
            one.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._ways -= ways
        await self.end(client, server)

    async def end(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        """Close both ends; what is written already arrives."""
        for one in (client, server):
            one.close()
            with suppress(OSError):
                await one.wait_closed()

    def cut(self) -> None:
        """End every connection."""
        for one in self._ways:
            one.cancel()


class AbruptProxy(TcpProxy):
    """Ends connections at once, as a network that loses them."""

    async def end(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        """Abort both ends."""
        client.transport.abort()
        server.transport.abort()


@asynccontextmanager
async def listening(proxy: TcpProxy, port: int = 0, limit: int = CHUNK) -> AsyncIterator[int]:
    """Let the proxy listen on a port, or on any; yields the port."""
    server = await asyncio.start_server(proxy.serve, HOST, port, limit=limit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
