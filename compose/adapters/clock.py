"""The clock and the ids of a process: the machine's time plus the offset that the database's clock has."""

import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from asyncpg.pgproto import pgproto
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.ids import uuid7_bytes


class Clock:
    """Time and ids; `offset` is zero outside of tests."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset
        self._offset_ms = int(offset.total_seconds() * 1000)

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC) + self._offset

    def new_id(self) -> UUID:
        """A UUIDv7, of the driver's kind: made, printed and sent at a tenth of the cost."""
        milliseconds = time.time_ns() // 1_000_000 + self._offset_ms
        made: UUID = pgproto.UUID(uuid7_bytes(milliseconds, os.urandom(10)))
        return made


async def database_clock(engine: AsyncEngine) -> Clock:
    """The clock with the database's offset."""
    async with engine.connect() as connection:
        return Clock((await connection.execute(text("SELECT value FROM clock_offset"))).scalar_one())
