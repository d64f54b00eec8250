"""Deliveries that were refused, noted for the source's owner: bounded, late, and never in
anybody's way.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from producers.outbox.ports import Connections
from producers.webhooks.rates import Buckets, Rate
from producers.webhooks.sources.source import KnownSource

log = logging.getLogger(__name__)

MOST_WAITING = 2000
LOGGED = Rate(1 / 60, 5)
"""Lines of the log about one source: a stranger can make as many as requests."""
NOTE = """
INSERT INTO rejected_requests (tenant_id, id, source_id, reason, size_bytes, content_type,
    received_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[],
    $7::timestamptz[])
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejected delivery of a known source, with a reason that its sender does not get."""

    source: KnownSource
    id: UUID
    reason: str
    size_bytes: int
    content_type: str
    at: datetime


class Rejections:
    """Notes up to a few a second per source; a flood of forgeries leaves no flood of rows."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._waiting: deque[Rejection] = deque(maxlen=MOST_WAITING)
        self._rate = Buckets(Rate(1.0, 60))
        self._logged = Buckets(LOGGED)
        self._unlogged: Counter[UUID] = Counter()

    def log(self, source: KnownSource, reason: str) -> None:
        """Log a forged delivery: the first few of a source, then one a minute with the number it
        represents.
        """
        if self._logged.take(source.id, time.monotonic()).wait_seconds > 0:
            self._unlogged[source.id] += 1
            return
        more = self._unlogged.pop(source.id, 0)
        since = f", and {more} more since the last line" if more else ""
        log.info("refused a delivery to source %s: %s%s", source.id, reason, since)

    def note(self, rejection: Rejection) -> None:
        """Remember one, to be written within a second or two."""
        if self._rate.take(rejection.source.id, time.monotonic()).wait_seconds == 0:
            self._waiting.append(rejection)

    async def write(self) -> None:
        """Write what waits, again and again, until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            try:
                await self.flush()
            except Exception as error:  # noqa: BLE001 - losing a note is better than stopping
                log.warning("rejections were not noted: %s", error)

    async def flush(self) -> None:
        """Write what waits now."""
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not taken:
            return
        columns = [
            (
                one.source.tenant,
                one.id,
                one.source.id,
                one.reason[:500],
                one.size_bytes,
                one.content_type[:200],
                one.at,
            )
            for one in taken
        ]
        async with self._connections.acquire() as connection:
            await connection.execute(NOTE, *(list(column) for column in zip(*columns, strict=True)))
