"""A TCP proxy before Postgres that loses the answer to a COMMIT: it stands, and the client is never told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

COMMITTED = b"COMMIT\x00"  # the tag in CommandComplete


class Proxy:
    """Passes everything on; when armed, the next answer to a COMMIT is swallowed and both sides are cut."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()
        self.armed = 0
        self.lost = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side ends."""
        server_reader, server_writer = await asyncio.open_connection(*self._where)
        ways = (self._pass(reader, server_writer), self._back(server_reader, writer))
        tasks = {asyncio.create_task(one) for one in ways}
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks -= tasks
        for end in (writer, server_writer):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if self.armed and COMMITTED in data:
                self.armed -= 1
                self.lost += 1
                return
            writer.write(data)
            await writer.drain()

    def cut(self) -> None:
        """End every connection."""
        for one in self._tasks:
            one.cancel()


@asynccontextmanager
async def before(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the Postgres of a URL, and the URL through it."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "", parts.port or 5432)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rsplit("@", 1)[0]
    try:
        yield proxy, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
