"""Sources by id for the hot route: looked up once a second at most, an unknown one too.

Ids that nobody knows are free to make. They are looked up on connections of their own and
remembered apart, so that a flood of them waits for itself and neither delays nor displaces a source
that exists.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from producers.outbox.ports import Connections
from producers.webhooks.limits.limit import source_limits
from producers.webhooks.sources.ports import Sealer
from producers.webhooks.sources.source import KnownSource, known_source

FIND = """
SELECT tenant_id, id, name, scheme, options::text, paused, sealed, limits::text
    FROM headrace_find_limited_source($1)
"""


MOST_LIVE_SECRETS = 2
"""One and the one before it; an older release may have left more of them, newest first."""


class SourceCache:
    """Remembers up to `size` sources and as many unknown ids for `seconds`; many waiting for one id
    ask once.

    An id that was a source's lately is looked up on `connections`, any other on those
    `for_strangers`. `limits` hold for tenants without their own.
    """

    def __init__(
        self,
        connections: Connections,
        for_strangers: Connections,
        sealer: Sealer,
        refusal: Callable[[BaseException], type[Exception]],
        limits: Mapping[str, float],
        *,
        seconds: float = 1.0,
        size: int = 10_000,
    ) -> None:
        self._connections = connections
        self._for_strangers = for_strangers
        self._sealer = sealer
        self._refusal = refusal
        self._limits = limits
        self._seconds = seconds
        self._size = size
        self._known: OrderedDict[UUID, tuple[float, KnownSource | None]] = OrderedDict()
        self._unknown: OrderedDict[UUID, tuple[float, KnownSource | None]] = OrderedDict()
        self._asking: dict[UUID, asyncio.Task[KnownSource | None]] = {}

    async def find(self, source_id: UUID) -> KnownSource | None:
        """The source, None when there is none.

        Raises what the refusal of the error says (Unavailable).
        """
        known = self._known.get(source_id) or self._unknown.get(source_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        task = self._asking.get(source_id)
        if task is None:
            task = self._asking[source_id] = asyncio.create_task(self._ask(source_id))
            task.add_done_callback(lambda _: self._asking.pop(source_id, None))
        return await asyncio.shield(task)

    async def _ask(self, source_id: UUID) -> KnownSource | None:
        connections = self._connections if source_id in self._known else self._for_strangers
        try:
            async with connections.acquire() as connection:
                rows = await connection.fetch(FIND, source_id)
            found = self._known_source(rows[0]) if rows else None
        except Exception as error:  # a secret that does not open, too: the sender shall try again
            raise self._refusal(error)(str(error)) from error
        kept, other = (
            (self._unknown, self._known) if found is None else (self._known, self._unknown)
        )
        other.pop(source_id, None)
        kept[source_id] = (time.monotonic() + self._seconds, found)
        kept.move_to_end(source_id)
        while len(kept) > self._size:
            kept.popitem(last=False)
        return found

    def _known_source(self, row: Any) -> KnownSource:
        secrets = tuple(
            self._sealer.open(one, row["tenant_id"], row["id"])
            for one in row["sealed"][:MOST_LIVE_SECRETS]
        )
        limits = source_limits(self._limits, json.loads(row["limits"]))
        return known_source({**row, "options": json.loads(row["options"])}, secrets, limits)
