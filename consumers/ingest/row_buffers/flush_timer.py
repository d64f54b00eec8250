"""The duty beside ingest: what has been open long enough is sealed, however little it is."""

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass

from consumers.errors import Transient
from consumers.ingest.row_buffers.append import MOST_DUE, cut_due
from consumers.ports import Classify
from consumers.work import store as work
from schemas.ports import Transactions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SealWhenDue:
    """Asks the database's clock every `poll_seconds`.

    Several may run, each stream is cut by one.
    """

    begin: Transactions
    classify: Classify
    poll_seconds: float = 1.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Cut what is due, round after round, until `stopping`."""
        while not stopping.is_set():
            if await self._round() == MOST_DUE:
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    stopping.wait(),
                    self.poll_seconds * (0.75 + random.random() / 2),  # noqa: S311
                )

    async def _round(self) -> int:
        try:
            return await self.once()
        except Exception as error:
            if not isinstance(error, Transient) and self.classify(error) is not Transient:
                # A bug here must not stop ingest: rows stay open, and the next round tries again.
                log.exception("what is due could not be sealed")
            else:
                log.warning("transient, again: %s", error)
            return 0

    async def once(self) -> int:
        """Cut what is due now; returns the number of batches made."""
        async with self.begin() as tx:
            items = await cut_due(tx)
            await work.enqueue(tx, items)
        return len(items)
