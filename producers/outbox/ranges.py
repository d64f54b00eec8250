"""The log's partitions: ranges of seqs, each made before the log gets there, then a tail without
end.

The tail is empty as long as ranges are made in time. It takes every seq that no range takes, so
that nothing is refused; a default partition would do that too, but then Postgres cannot read the
partitions in their order. Nothing here removes one.
"""

import logging
from dataclasses import dataclass
from datetime import date

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.ports import Transactions

log = logging.getLogger(__name__)

SIZE = 8_000_000
TAIL = text(r"""
    SELECT substring(pg_get_expr(relpartbound, oid) FROM 'FROM \(''?([0-9]+)')::bigint
    FROM pg_class WHERE oid = 'events_tail'::regclass
""")
NEWEST = text("SELECT coalesce(max(seq), 0) FROM events")
# The tail is taken out and put back behind the new range; every accept waits for that: rather not
# now than long.
BRIEFLY = text("SET LOCAL lock_timeout = '100ms'")
ADD = text("SELECT headrace_add_range('events', :begins, :ends)")
# A tail with events gets an end. Its rows are looked at beside those who write, and not under the
# lock.
BOUND = """
    ALTER TABLE events_tail DROP CONSTRAINT IF EXISTS events_tail_bound,
        ADD CONSTRAINT events_tail_bound CHECK (seq < {ends}) NOT VALID
"""
PATIENTLY = text("SET LOCAL statement_timeout = '15min'")
VALIDATE = text("ALTER TABLE events_tail VALIDATE CONSTRAINT events_tail_bound")
CLOSE = text("SELECT headrace_close_tail('events', :begins, :ends)")


@dataclass(frozen=True)
class Ranges:
    """The coming partitions of the log, `ahead` of them from the newest event on; `begin` is the
    owner's.
    """

    begin: Transactions
    ahead: int
    size: int = SIZE
    table: str = "events"

    async def prepare(self, _today: date) -> int:
        """Make the ranges that are missing; how many.

        A tail that has events becomes a range itself.
        """
        async with self.begin() as tx:
            begins, newest = await _number(tx, TAIL), await _number(tx, NEWEST)
        made = 0
        if newest >= begins:
            log.error(
                "the log had outgrown its partitions: from seq %d on events are in its tail", begins
            )
            # Far ahead, for the log grows meanwhile: what comes beyond this end before it is one
            # is refused.
            ends = begins + ((newest - begins) // self.size + 1 + self.ahead) * self.size
            await self._close_tail(begins, ends)
            begins, made = ends, 1
        while begins < newest + self.ahead * self.size:
            async with self.begin() as tx:
                await tx.execute(BRIEFLY)
                given = {"begins": begins, "ends": begins + self.size}
                if not (await tx.execute(ADD, given)).scalar_one():
                    break  # the log has come to the tail meanwhile: the next round closes it
            begins, made = begins + self.size, made + 1
        return made

    async def _close_tail(self, begins: int, ends: int) -> None:
        async with self.begin() as tx:
            await tx.execute(BRIEFLY)
            await tx.execute(text(BOUND.format(ends=ends)))
        async with self.begin() as tx:
            await tx.execute(PATIENTLY)
            await tx.execute(VALIDATE)
        async with self.begin() as tx:
            await tx.execute(BRIEFLY)
            await tx.execute(CLOSE, {"begins": begins, "ends": ends})


async def _number(tx: AsyncConnection, query: TextClause) -> int:
    return int((await tx.execute(query)).scalar_one())
