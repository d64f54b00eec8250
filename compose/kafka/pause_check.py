"""A consumer's gate: closed while its row says that it is paused."""

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from compose.failures import is_transient
from consumers.log.circuit_breaker import store


@dataclass(frozen=True)
class BreakerGate:
    """Looks at the row every `look_seconds`; a database that is away changes nothing."""

    pipeline: AsyncEngine
    consumer: str
    look_seconds: float = 1.0

    async def opened(self) -> None:
        """Return when the consumer is not paused."""
        while await self._is_paused() is not False:  # noqa: ASYNC110  # it is a row
            await asyncio.sleep(self.look_seconds)

    async def closed(self) -> None:
        """Return when it is."""
        while await self._is_paused() is not True:  # noqa: ASYNC110  # it is a row
            await asyncio.sleep(self.look_seconds)

    async def _is_paused(self) -> bool | None:
        try:
            async with self.pipeline.connect() as tx:
                return await store.is_paused(tx, self.consumer)
        except Exception as error:
            if not is_transient(error):
                raise
            return None
