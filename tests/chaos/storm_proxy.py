"""A TCP proxy as the internet is: some connections are slow, some are cut in mid-request or in
mid-answer.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.tcp_proxy import CHUNK, AbruptProxy, listening

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
class Proxy(AbruptProxy):
    """Connections to one address, each with its fate; `seen` counts what was done to them."""

    dice: random.Random = field(default_factory=random.Random)
    own_port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    _fates: dict[asyncio.StreamWriter, Fate] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """One client, until either side is gone or the fate is met."""
        fate = self._fates[client] = fate_of(self.dice)
        self.seen["slow"] += fate.slow
        await super().serve(reader, client)
        del self._fates[client]

    async def ask(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        """What the client sends, up to its fate."""
        fate = self._fates[client]
        await self._pass(reader, server, fate.request_bytes, "request", fate.slow)

    async def answer(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """What the server sends, up to its fate."""
        fate = self._fates[client]
        await self._pass(reader, client, fate.answer_bytes, "answer", fate.slow)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        left: int | None,
        what: str,
        slow: bool,
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


@asynccontextmanager
async def proxy(host: str, port: int, dice: random.Random) -> AsyncIterator[Proxy]:
    """One that listens on a port of its own."""
    one = Proxy(host, port, dice=dice)
    async with listening(one) as one.own_port:
        yield one
