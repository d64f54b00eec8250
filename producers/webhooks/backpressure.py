"""Whether the endpoint may promise durability: enough free disk under Postgres, and not too much
that is unsent.
"""

import asyncio
import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from producers.outbox.ports import Connections

log = logging.getLogger(__name__)

WORRYING = 3
"""Failed looks in a row that are worth a warning."""

UNSENT = """
SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes
FROM (SELECT size_bytes FROM outbox UNION ALL SELECT size_bytes FROM outbox_held) AS unsent
"""


@dataclass
class Capacity:
    """Looked at once a second, less often where looking is slow; `risk` is the reason to refuse, if
    any.

    `disk` is a folder on Postgres's disk, None where that is another machine's: Postgres then says
    itself that it is full. The disk of the object store closes nothing but uploads, and bodies that
    go there. The age of the outbox is never a reason: a Kafka that is away for an hour must not
    turn a webhook away.
    """

    connections: Connections
    disk: Path | None
    free_disk_bytes: int
    unsent_bytes: int
    risk: str | None = field(default=None, init=False)

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                await self.look()
                failures = 0
            except Exception as error:  # noqa: BLE001 - a database that does not answer refuses by itself
                failures += 1
                level = logging.WARNING if failures == WORRYING else logging.DEBUG
                log.log(level, "how much waits for Kafka is unknown: %s", error)
            await asyncio.sleep(max(1.0, 20 * (loop.time() - began)))

    async def look(self) -> None:
        """Judge the disk and the outbox now."""
        free = None if self.disk is None else await asyncio.to_thread(_free, self.disk)
        if free is not None and free < self.free_disk_bytes:
            self._become(f"only {free} bytes of disk are free")  # whatever the database says
            return
        async with self.connections.acquire() as connection:
            unsent = (await connection.fetch(UNSENT))[0]["bytes"]
        self._become(f"{unsent} bytes wait for Kafka" if unsent > self.unsent_bytes else None)

    def _become(self, risk: str | None) -> None:
        if risk != self.risk:
            log.warning("webhooks are %s", f"refused: {risk}" if risk else "accepted again")
        self.risk = risk


def _free(folder: Path) -> int:
    """What is free on a folder's disk.

    One that is not there yet will be on that of the folder above it.
    """
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free
