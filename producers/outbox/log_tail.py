"""How far the log can be read without passing by what is not committed yet, and who waits for more.

A transaction takes its seqs before it commits, so a seq that is missing may still come. Whoever
inserts holds a lock on `events` from before it takes a seq until after its commit is seen. So: note
the highest seq, then who holds that lock; once all of those are gone, everything up to that seq is
there for good or never comes.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterator
from uuid import UUID

from producers.outbox import store
from schemas.ports import Transactions

log = logging.getLogger(__name__)

POLL_SECONDS, IDLE_SECONDS = 0.1, 5.0
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.005, 0.1


class LogTail:
    """The horizon of one process, and its readers at the end of the log: one poll for all of
    them.
    """

    def __init__(self, transactions: Transactions, stopping: asyncio.Event) -> None:
        self._transactions = transactions
        self.stopping = stopping
        self._settled = 0
        self._samples: deque[tuple[int, frozenset[str]]] = deque()
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._wanted = asyncio.Event()

    async def settled(self) -> int:
        """The seq up to which nothing can come any more.

        What is committed now is below it, if no writer hangs.
        """
        newest = await self._sample()
        pause = FIRST_PAUSE_SECONDS
        while self._settled < newest and pause <= LAST_PAUSE_SECONDS:
            await asyncio.sleep(pause)
            await self._sample()
            pause *= 2
        return self._settled

    @contextlib.contextmanager
    def listening(self, tenant: UUID) -> Iterator[asyncio.Event]:
        """An event that is set when more of a tenant's log can be read.

        Begin to listen, read, then wait.
        """
        more = asyncio.Event()
        self._waiting.setdefault(tenant, set()).add(more)
        self._wanted.set()
        try:
            yield more
        finally:
            self._waiting[tenant].discard(more)
            if not self._waiting[tenant]:
                del self._waiting[tenant]

    async def watch(self) -> None:
        """Look at the log until cancelled: often while somebody waits, else so that the horizon
        is never old.
        """
        woken = 0
        while True:
            try:
                await self._sample()
                if self._waiting and self._settled > woken:
                    async with self._transactions() as tx:
                        self._wake(await store.tenants_between(tx, woken, self._settled))
                woken = self._settled
            except Exception as error:  # noqa: BLE001 - the readers' own time-outs end their waiting
                log.warning("the log cannot be followed at the moment: %s", error)
            if self.stopping.is_set():
                self._wake(list(self._waiting))
            if self._waiting:
                await asyncio.sleep(POLL_SECONDS)
            else:
                self._wanted.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_SECONDS):
                        await self._wanted.wait()

    async def _sample(self) -> int:
        async with self._transactions() as tx:
            newest = await store.newest_seq(tx)
            writers = await store.writers(tx)
        self._samples.append((newest, writers))
        # Who hangs in an older sample hangs in the younger ones too: the first that is not over
        # ends the search.
        while self._samples and not (self._samples[0][1] & writers):
            self._settled = max(self._settled, self._samples.popleft()[0])
        while len(self._samples) > 100:
            del self._samples[1]
        return newest

    def _wake(self, tenants: list[UUID]) -> None:
        for tenant in tenants:
            for more in self._waiting.get(tenant, ()):
                more.set()
