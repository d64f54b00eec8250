"""Acceptances that wait for their commit: which go next, who waits for how long, and who has
waited too long.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producers.outbox.accept import Acceptance, Accepted

SMALLEST_SHARE = 16
OVERDUE_SECONDS = 2.0


@dataclass(slots=True)
class Waiting:
    """One acceptance, the answer that its client waits for, and since when (the loop's time)."""

    acceptance: "Acceptance"
    answer: "asyncio.Future[Accepted]"
    since: float


class AcceptQueue:
    """The acceptances of one process that are not answered yet, oldest first."""

    def __init__(self, writers: int, max_batch: int, max_bytes: int) -> None:
        self._writers = writers
        self._max_batch = max_batch
        self._max_bytes = max_bytes
        self._queue: deque[Waiting] = deque()
        self._in_hand: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self._queue)

    def add(self, acceptance: "Acceptance") -> "asyncio.Future[Accepted]":
        """Put one at the end; its answer to come."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Accepted] = loop.create_future()
        self._queue.append(Waiting(acceptance, answer, loop.time()))
        return answer

    def take(self) -> list[Waiting]:
        """The next batch, for one writer; the queue must not be empty."""
        batch: list[Waiting] = []
        size = 0
        # A share of the queue for each writer: one that took all would leave this process idle
        # until its commit.
        share = min(self._max_batch, max(SMALLEST_SHARE, -(-len(self._queue) // self._writers)))
        while self._queue and len(batch) < share and (not batch or size < self._max_bytes):
            batch.append(self._queue.popleft())
            size += batch[-1].acceptance.entry.size_bytes * 2
        self._in_hand[id(batch)] = batch[0].since
        return batch

    def answered(self, batch: list[Waiting]) -> None:
        """A batch that was taken is out of its writer's hand."""
        del self._in_hand[id(batch)]

    def overdue(self) -> list[Waiting]:
        """Take those who waited behind a database that did not answer in time, and would wait as
        long once more.
        """
        before = asyncio.get_running_loop().time() - OVERDUE_SECONDS
        found: list[Waiting] = []
        while self._queue and self._queue[0].since < before:
            found.append(self._queue.popleft())
        return found

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest acceptance that is not answered yet has waited."""
        since = [*self._in_hand.values(), *(one.since for one in islice(self._queue, 1))]
        return asyncio.get_running_loop().time() - min(since) if since else 0.0


def refuse(batch: Sequence[Waiting], kind: type[Exception], error: BaseException) -> None:
    """Answer those of a batch that are not answered yet with an error of `kind`."""
    for one in batch:
        if not one.answer.done():
            refusal = kind(str(error))
            refusal.__cause__ = error
            one.answer.set_exception(refusal)
