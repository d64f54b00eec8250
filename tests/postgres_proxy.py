"""A TCP proxy before Postgres: it can lose the start-up parameter `role`, or every packet of what is connected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

SSL_REQUEST, STARTUP = 80877103, 196608


@dataclass
class PostgresProxy:
    """Passes everything on. While `drops_role`, new sessions lose that parameter, as in a pooler that ignores it.

    While `is_silent`, whatever is connected, and whatever connects, never gets another byte through, either way, and
    is told of no end; what connects afterwards gets through.
    """

    host: str
    port: int
    drops_role: bool = False
    is_silent: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _lost: set[asyncio.StreamWriter] = field(default_factory=set)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def silence(self) -> None:
        """From now on nothing gets through."""
        self.is_silent = True
        self._lost |= self._open

    def cut(self) -> None:
        """End every connection."""
        for one in self._tasks:
            one.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side ends."""
        server_reader, server_writer = await asyncio.open_connection(self.host, self.port)
        self._open.add(writer)
        if self.is_silent:
            self._lost.add(writer)
        ways = (self._ask(reader, server_writer, writer), self._answer(server_reader, writer))
        tasks = {asyncio.create_task(one) for one in ways}
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if writer in self._lost:  # nobody hears that the other side is gone
            await asyncio.wait(tasks)
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks -= tasks
        self._open.discard(writer)
        for end in (writer, server_writer):
            end.close()
            with suppress(OSError):
                await end.wait_closed()

    async def _ask(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            code = SSL_REQUEST
            while code == SSL_REQUEST:
                head = await reader.readexactly(8)
                code = int.from_bytes(head[4:])
                rest = await reader.readexactly(int.from_bytes(head[:4]) - 8)
                self._send(server, client, head + rest if code != STARTUP or not self.drops_role else _without(rest))
            while data := await reader.read(1 << 16):
                self._send(server, client, data)
                await server.drain()

    async def _answer(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                self._send(client, client, data)
                await client.drain()

    def _send(self, to: asyncio.StreamWriter, client: asyncio.StreamWriter, data: bytes) -> None:
        if client not in self._lost:
            to.write(data)


def _without(parameters: bytes) -> bytes:
    """A start-up packet without the role."""
    words = parameters.split(b"\0")
    pairs = [pair for pair in zip(words[::2], words[1::2], strict=False) if pair[0] not in (b"", b"role")]
    body = STARTUP.to_bytes(4) + b"".join(b"%s\0%s\0" % pair for pair in pairs) + b"\0"
    return (len(body) + 4).to_bytes(4) + body


@asynccontextmanager
async def postgres_proxy(url: str) -> AsyncIterator[tuple[PostgresProxy, str]]:
    """A proxy before the Postgres of a URL, and the URL through it."""
    parts = urlsplit(url)
    proxy = PostgresProxy(parts.hostname or "", parts.port or 5432)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rsplit("@", 1)[0]
    try:
        yield proxy, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
