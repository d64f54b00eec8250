"""What readiness asks of the database, by however many it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from compose.http.health import Answering
from producers.outbox.ports import Unavailable


class Counted:
    """A database that counts its look-ups, and answers or not."""

    def __init__(self, *, answers: bool) -> None:
        self.looked_up = 0
        self._answers = answers

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Counted"]:
        """Itself."""
        yield self

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """One look-up."""
        self.looked_up += 1
        await asyncio.sleep(0)
        if not self._answers:
            raise ConnectionRefusedError(query, *args)
        return []

    async def execute(self, query: str, *args: Any) -> str:
        """Not asked."""
        raise AssertionError(query, *args)


async def test_many_who_ask_share_one_look_up() -> None:
    database = Counted(answers=True)
    answering = Answering(database)
    await asyncio.gather(*(answering.check() for _ in range(50)))
    assert database.looked_up == 1


async def test_many_who_ask_share_one_failure() -> None:
    database = Counted(answers=False)
    answering = Answering(database)
    told = await asyncio.gather(*(answering.check() for _ in range(50)), return_exceptions=True)
    assert {type(one) for one in told} == {Unavailable}
    assert database.looked_up == 1
    with pytest.raises(Unavailable):
        await answering.check()
