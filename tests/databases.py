"""Databases cloned from the template: the next one is made, and the last one dropped, while a
test runs.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import asyncpg


class Databases:
    """Hands out names; each is somebody's own until it is given back."""

    def __init__(self, superuser_url: str, template: str, hands: ThreadPoolExecutor) -> None:
        self._url = superuser_url
        self._template = template
        self._hands = hands
        self._dropped: list[Future[None]] = []
        self._next = hands.submit(asyncio.run, self._make())

    def take(self) -> str:
        """The name of a fresh one."""
        name = self._next.result()
        self._next = self._hands.submit(asyncio.run, self._make())
        return name

    def give_back(self, name: str) -> None:
        """Drop it, whoever is connected."""
        self._dropped.append(self._hands.submit(asyncio.run, self._drop(name)))

    def end(self) -> None:
        """Raises what a drop in the background raised."""
        self._next.result()
        for one in self._dropped:
            one.result()

    async def _make(self) -> str:
        name = f"t{uuid4().hex}"
        await self._execute(
            f"CREATE DATABASE {name} TEMPLATE {self._template} OWNER headrace_owner STRATEGY "
            "FILE_COPY"
        )
        return name

    async def _drop(self, name: str) -> None:
        await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def databases(superuser_url: str, template: str) -> Iterator[Databases]:
    """For as long as the server runs."""
    with ThreadPoolExecutor(1, "databases") as hands:
        made = Databases(superuser_url, template, hands)
        yield made
        made.end()
