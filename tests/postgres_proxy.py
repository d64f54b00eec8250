"""A TCP proxy before Postgres: it loses the start-up parameter `role`, the answer to a COMMIT,
or all packets.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from tests.tcp_proxy import CHUNK, HOST, TcpProxy, listening

SSL_REQUEST, STARTUP = 80877103, 196608
COMMITTED = b"COMMIT\x00"  # the tag in CommandComplete


@dataclass
class PostgresProxy(TcpProxy):
    """Passes everything on. While `drops_role`, new sessions lose that parameter, as in a pooler
    that ignores it.

    While `is_silent`, whatever is connected, and whatever connects, never gets another byte
    through, either way, and is told of no end; what connects afterwards gets through. While
    `armed`, the next answer to a COMMIT is `lost`, and both sides are cut.
    """

    drops_role: bool = False
    is_silent: bool = False
    armed: bool = False
    lost: int = 0
    _dead: set[asyncio.StreamWriter] = field(default_factory=set)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def silence(self) -> None:
        """From now on nothing gets through."""
        self.is_silent = True
        self._dead |= self._open

    async def ask(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        """What the client sends, with or without the role."""
        self._open.add(client)
        if self.is_silent:
            self._dead.add(client)
        with suppress(OSError, asyncio.IncompleteReadError):
            code = SSL_REQUEST
            while code == SSL_REQUEST:
                head = await reader.readexactly(8)
                code = int.from_bytes(head[4:])
                rest = await reader.readexactly(int.from_bytes(head[:4]) - 8)
                self._send(
                    server,
                    client,
                    head + rest if code != STARTUP or not self.drops_role else _without(rest),
                )
            while data := await reader.read(CHUNK):
                self._send(server, client, data)
                await server.drain()
        await self._ended(client)

    async def answer(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """What Postgres sends, up to a COMMIT that is lost."""
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.armed and COMMITTED in data:
                    self.armed = False
                    self.lost += 1
                    return
                self._send(client, client, data)
                await client.drain()
        await self._ended(client)

    def _send(self, to: asyncio.StreamWriter, client: asyncio.StreamWriter, data: bytes) -> None:
        if client not in self._dead:
            to.write(data)

    async def _ended(self, client: asyncio.StreamWriter) -> None:
        self._open.discard(client)
        if client in self._dead:  # the other side does not hear of it
            await asyncio.Event().wait()


def _without(parameters: bytes) -> bytes:
    """A start-up packet without the role."""
    words = parameters.split(b"\0")
    pairs = [
        pair for pair in zip(words[::2], words[1::2], strict=False) if pair[0] not in (b"", b"role")
    ]
    body = STARTUP.to_bytes(4) + b"".join(b"%s\0%s\0" % pair for pair in pairs) + b"\0"
    return (len(body) + 4).to_bytes(4) + body


@asynccontextmanager
async def postgres_proxy(url: str) -> AsyncIterator[tuple[PostgresProxy, str]]:
    """A proxy before the Postgres of a URL, and the URL through it."""
    parts = urlsplit(url)
    proxy = PostgresProxy(parts.hostname or "", parts.port or 5432)
    login = parts.netloc.rsplit("@", 1)[0]
    async with listening(proxy) as port:
        yield proxy, urlunsplit(parts._replace(netloc=f"{login}@{HOST}:{port}"))
