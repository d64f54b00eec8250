"""Acceptance: many requests in one statement and one commit, each answered for itself."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from producers.outbox import accept_statements
from producers.outbox.accept_queue import AcceptQueue, Waiting, refuse
from producers.outbox.accept_statements import ACCEPT_RECOUNTED, ADOPT, FIRST_OF
from producers.outbox.ports import Connections, NotStorable, Statements
from producers.outbox.size import check_size
from schemas.log import LogEntry
from schemas.ports import Failpoint, no_failpoint

ACCEPT = accept_statements.ACCEPT


class Claim(NamedTuple):
    """The identity under which a webhook counts once, and the request that is kept with it; as
    ACCEPT takes them.

    With `counts_again_seconds` it counts once within so many seconds; `former_keys` are those that
    a release before would have given it.
    """

    source_id: UUID
    key_hash: bytes
    body_hash: bytes
    request_id: UUID
    external_id: str | None
    content_type: str
    kept_headers: str
    body_bytes: int
    body_key: str | None = None
    unsigned_id: bool = False
    counts_again_seconds: int = 0
    former_keys: tuple[bytes, ...] = ()


class Acceptance(NamedTuple):
    """One event to accept, with the claim that makes it count once (commands have none: their id
    does).
    """

    entry: LogEntry
    claim: Claim | None = None


class Accepted(NamedTuple):
    """Durably stored: now, or (`duplicate`) the first time that this identity came."""

    event_id: UUID
    request_id: UUID | None
    duplicate: bool = False
    same_body: bool = True


class Accept:
    """Collects acceptances while a commit is under way; the next statement takes all that came
    meanwhile.

    `writers` statements run at once, each of at most `max_batch` acceptances and `max_bytes`.
    """

    def __init__(
        self,
        connections: Connections,
        classify: Callable[[BaseException], type[Exception]],
        *,
        writers: int = 4,
        max_batch: int = 500,
        max_bytes: int = 8 << 20,
        failpoint: Failpoint = no_failpoint,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connections = connections
        self._classify = classify
        self._writers = writers
        self._failpoint = failpoint
        self._queue = AcceptQueue(writers, max_batch, max_bytes)
        self._running: set[asyncio.Task[None]] = set()
        self._monotonic = monotonic
        self._adopted = monotonic()

    async def __call__(self, acceptance: Acceptance) -> Accepted:
        """Store one event; returns after its commit. Raises Unavailable (unknown: try again) or
        NotStorable.
        """
        check_size(acceptance.entry)
        answer = self._queue.add(acceptance)
        if len(self._running) < self._writers:
            self._start_writer()
        # A client that leaves cancels its own answer; the batch is the writer's and continues.
        return await answer

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest acceptance that is not answered yet has waited."""
        return self._queue.oldest_seconds

    async def drain(self) -> None:
        """Wait until all that was handed in is answered."""
        while self._running:
            await asyncio.wait(self._running)

    def _start_writer(self) -> None:
        task = asyncio.create_task(self._write())
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        # What came after the writer's last look at the queue found a writer running, and so started
        # none.
        if self._queue and len(self._running) < self._writers:
            self._start_writer()

    async def _write(self) -> None:
        while self._queue:
            batch = self._queue.take()
            try:
                async with self._connections.acquire() as connection:
                    await self._store(connection, batch)
            except Exception as error:  # noqa: BLE001 - every waiting client must get an answer
                refuse(batch, self._classify(error), error)
                if isinstance(error, TimeoutError):
                    refuse(self._queue.overdue(), self._classify(error), error)
            finally:
                self._queue.answered(batch)

    async def _store(self, connection: Statements, batch: list[Waiting]) -> None:
        self._failpoint("accept.taken")
        try:
            rows = await self._accepted(connection, [one.acceptance for one in batch])
        except Exception as error:
            if self._classify(error) is not NotStorable or len(batch) == 1:
                raise
            # Somewhere in the batch is content that Postgres refuses: find it, and store the rest.
            half = len(batch) // 2
            for part in (batch[:half], batch[half:]):
                try:
                    await self._store(connection, part)
                except Exception as refused:  # noqa: BLE001 - answered per part
                    refuse(part, self._classify(refused), refused)
            return
        self._failpoint("accept.stored")
        fresh = {row["id"] for row in rows}
        repeated = [one for one in batch if one.acceptance.entry.id not in fresh]
        firsts = await _firsts(connection, [one.acceptance for one in repeated]) if repeated else {}
        if repeated:
            self._failpoint("accept.repeats_noted")
        for one in batch:
            if not one.answer.done():
                one.answer.set_result(_answer(one.acceptance, fresh, firsts))

    async def _accepted(self, connection: Statements, batch: list[Acceptance]) -> list[Any]:
        """One statement for the batch.

        Where all its identities count for good, without what the others need.
        """
        rows = [_row(one) for one in batch]
        recounted = [one for one in batch if one.claim and one.claim.counts_again_seconds]
        if not recounted:
            return await connection.fetch(ACCEPT, rows)
        seconds = max(one.claim.counts_again_seconds for one in recounted if one.claim)
        if self._monotonic() - self._adopted < seconds and await _adopt(connection, recounted):
            # A process of the release before may still be running.
            self._adopted = self._monotonic()
        recounts = [bool(one.claim and one.claim.counts_again_seconds) for one in batch]
        return await connection.fetch(ACCEPT_RECOUNTED, rows, recounts, seconds)


async def _adopt(connection: Statements, recounted: Sequence[Acceptance]) -> bool:
    """What the release before counted is not counted once more.

    Returns whether it counted any of these.
    """
    given = [
        (*_identity(one), former)
        for one in recounted
        if one.claim
        for former in one.claim.former_keys
    ]
    if not given:
        return False
    rows = await connection.fetch(ADOPT, *(list(column) for column in zip(*given, strict=True)))
    return bool(rows[0]["found"])


Identity = tuple[UUID, UUID, bytes]


async def _firsts(
    connection: Statements, repeated: Sequence[Acceptance]
) -> dict[Identity, tuple[UUID, UUID, bytes]]:
    given = [
        (*_identity(one), one.entry.id, one.claim and one.claim.body_hash, one.entry.time)
        for one in repeated
    ]
    rows = await connection.fetch(FIRST_OF, *(list(column) for column in zip(*given, strict=True)))
    return {
        (row["tenant_id"], row["source_id"], row["key_hash"]): (
            row["request_id"],
            row["event_id"],
            row["body_hash"],
        )
        for row in rows
    }


def _identity(acceptance: Acceptance) -> Identity:
    claim = acceptance.claim
    if claim is None:
        raise ValueError(f"event {acceptance.entry.id} was not stored, yet it claims no identity")
    return acceptance.entry.tenant, claim.source_id, claim.key_hash


def _answer(
    acceptance: Acceptance, fresh: set[UUID], firsts: dict[Identity, tuple[UUID, UUID, bytes]]
) -> Accepted:
    claim = acceptance.claim
    if acceptance.entry.id in fresh:
        return Accepted(acceptance.entry.id, claim.request_id if claim else None)
    request_id, event_id, body_hash = firsts[_identity(acceptance)]
    same = claim is not None and claim.body_hash == body_hash
    return Accepted(event_id, request_id, duplicate=True, same_body=same)


IN_ROW = len(Claim._fields) - 2
NO_CLAIM = (None,) * IN_ROW


def _row(acceptance: Acceptance) -> tuple[object, ...]:
    """An `accepted_row`: a claim's fields, then the entry's without its version, which is 0 for a
    new event.
    """
    entry, claim = acceptance
    return (*(claim or NO_CLAIM)[:IN_ROW], *entry[:8], *entry[9:11])
