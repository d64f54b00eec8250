"""The clock and the ids of a process: the machine's time plus the offset that the database's
clock has.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.ids import uuid7_bytes

RANDOM_AT_ONCE = 256
"""A call to the system costs as much as the rest of an id."""


class Clock:
    """Time and ids; `offset` is zero outside of tests."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset
        self._offset_ms = int(offset.total_seconds() * 1000)
        self._random: list[bytes] = []
        os.register_at_fork(after_in_child=self._random.clear)

    def now(self) -> datetime:
        """The database's time, as an aware UTC datetime."""
        return datetime.now(UTC) + self._offset

    def new_id(self) -> UUID:
        """A UUIDv7, of the driver's kind: made, printed and sent at a tenth of the cost."""
        milliseconds = time.time_ns() // 1_000_000 + self._offset_ms
        try:
            random = self._random.pop()  # which is atomic: no two threads get the same
        except IndexError:
            many = os.urandom(10 * RANDOM_AT_ONCE)
            random = many[:10]
            self._random.extend(many[at : at + 10] for at in range(10, len(many), 10))
        made: UUID = pgproto.UUID(uuid7_bytes(milliseconds, random))
        return made


async def database_clock(engine: AsyncEngine) -> Clock:
    """The clock with the database's offset."""
    async with engine.connect() as connection:
        return Clock(
            (await connection.execute(text("SELECT value FROM clock_offset"))).scalar_one()
        )
