"""The door: many acceptances in one statement and one commit, each answered for itself."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from producers.outbox.accept_queue import AcceptQueue, Waiting, refuse
from producers.outbox.ports import Connections, NotStorable, Reached, Statements, nothing
from producers.outbox.size import check_size
from schemas.log import LogEntry

# Keys go in sorted, or two batches of the same duplicates deadlock; of equal ones the first to arrive counts. Events go
# in the order of their arrival.
ACCEPT = """
WITH given AS (
    SELECT * FROM unnest($1::accepted_row[]) WITH ORDINALITY
        AS g(source_id, key_hash, body_hash, request_id, external_id, content_type, kept_headers, body_bytes, body_key,
             unsigned_id, topic, key, value, headers, id, type, tenant_id, aggregate_id, correlation_id, time, place)
), claimed AS (
    INSERT INTO inbox_keys (tenant_id, source_id, key_hash, body_hash, request_id, event_id, unsigned_id, seen_at)
    SELECT tenant_id, source_id, key_hash, body_hash, request_id, id, unsigned_id, time
    FROM given WHERE source_id IS NOT NULL ORDER BY tenant_id, source_id, key_hash, place
    ON CONFLICT DO NOTHING
    RETURNING event_id
), fresh AS (
    SELECT * FROM given WHERE source_id IS NULL OR id IN (SELECT event_id FROM claimed)
), stored AS (
    INSERT INTO requests (tenant_id, id, source_id, event_id, external_id, content_type, headers, size_bytes,
                          body_hash, body_key, possible_replay, received_at)
    SELECT tenant_id, request_id, source_id, id, external_id, content_type, kept_headers, body_bytes,
           body_hash, body_key,
           unsigned_id AND EXISTS (
               SELECT FROM inbox_keys k
               WHERE k.tenant_id = fresh.tenant_id AND k.source_id = fresh.source_id
                 AND k.body_hash = fresh.body_hash AND k.unsigned_id),
           time
    FROM fresh WHERE source_id IS NOT NULL
), appended AS (
    INSERT INTO events (topic, key, value, headers, id, type, tenant_id, aggregate_id, version, correlation_id, time)
    SELECT topic, key, value, headers, id, type, tenant_id, aggregate_id, 0, correlation_id, time
    FROM fresh ORDER BY place
    RETURNING seq, id, octet_length(value) + octet_length(headers) AS size_bytes
), listed AS (
    INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM appended
)
SELECT id FROM appended
"""

# A repetition leaves a line too: every delivery can be listed.
FIRST_OF = """
WITH first AS (
    SELECT k.tenant_id, k.source_id, k.key_hash, k.request_id, k.event_id, k.body_hash,
           g.id AS repeat_id, g.body_hash = k.body_hash AS same_body, g.time
    FROM inbox_keys k
    JOIN unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::bytea[], $6::timestamptz[])
         AS g(tenant_id, source_id, key_hash, id, body_hash, time) USING (tenant_id, source_id, key_hash)
), noted AS (
    INSERT INTO request_repeats (tenant_id, request_id, id, same_body, received_at)
    SELECT tenant_id, request_id, repeat_id, same_body, time FROM first ON CONFLICT DO NOTHING
)
SELECT tenant_id, source_id, key_hash, request_id, event_id, body_hash FROM first
"""


class Claim(NamedTuple):
    """The identity under which a webhook counts once, and the request that is kept with it; as ACCEPT takes them."""

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


class Acceptance(NamedTuple):
    """One event to accept, with the claim that makes it count once (commands have none: their id does)."""

    entry: LogEntry
    claim: Claim | None = None


class Accepted(NamedTuple):
    """Durably stored: now, or (`duplicate`) the first time that this identity came."""

    event_id: UUID
    request_id: UUID | None
    duplicate: bool = False
    same_body: bool = True


class Accept:
    """Collects acceptances while a commit is under way; the next statement takes all that came meanwhile.

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
        reached: Reached = nothing,
    ) -> None:
        self._connections = connections
        self._classify = classify
        self._writers = writers
        self._reached = reached
        self._queue = AcceptQueue(writers, max_batch, max_bytes)
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, acceptance: Acceptance) -> Accepted:
        """Store one event; returns after its commit. Raises Unavailable (unknown: try again) or NotStorable."""
        check_size(acceptance.entry)
        answer = self._queue.add(acceptance)
        if len(self._running) < self._writers:
            self._start_writer()
        # A client that leaves cancels its own answer; the batch is the writer's and goes on.
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
        # What came after the writer's last look at the queue found a writer running, and so started none.
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
        self._reached("accept.taken")
        try:
            rows = await connection.fetch(ACCEPT, [_row(one.acceptance) for one in batch])
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
        self._reached("accept.stored")
        fresh = {row["id"] for row in rows}
        repeated = [one for one in batch if one.acceptance.entry.id not in fresh]
        firsts = await _firsts(connection, [one.acceptance for one in repeated]) if repeated else {}
        if repeated:
            self._reached("accept.repeats_noted")
        for one in batch:
            if not one.answer.done():
                one.answer.set_result(_answer(one.acceptance, fresh, firsts))


Identity = tuple[UUID, UUID, bytes]


async def _firsts(connection: Statements, repeated: Sequence[Acceptance]) -> dict[Identity, tuple[UUID, UUID, bytes]]:
    given = [(*_identity(one), one.entry.id, one.claim and one.claim.body_hash, one.entry.time) for one in repeated]
    rows = await connection.fetch(FIRST_OF, *(list(column) for column in zip(*given, strict=True)))
    return {
        (row["tenant_id"], row["source_id"], row["key_hash"]): (row["request_id"], row["event_id"], row["body_hash"])
        for row in rows
    }


def _identity(acceptance: Acceptance) -> Identity:
    claim = acceptance.claim
    if claim is None:
        raise ValueError(f"event {acceptance.entry.id} was not stored, yet it claims no identity")
    return acceptance.entry.tenant, claim.source_id, claim.key_hash


def _answer(acceptance: Acceptance, fresh: set[UUID], firsts: dict[Identity, tuple[UUID, UUID, bytes]]) -> Accepted:
    claim = acceptance.claim
    if acceptance.entry.id in fresh:
        return Accepted(acceptance.entry.id, claim.request_id if claim else None)
    request_id, event_id, body_hash = firsts[_identity(acceptance)]
    same = claim is not None and claim.body_hash == body_hash
    return Accepted(event_id, request_id, duplicate=True, same_body=same)


NO_CLAIM = (None,) * len(Claim._fields)


def _row(acceptance: Acceptance) -> tuple[object, ...]:
    """An `accepted_row`: a claim's fields, then the entry's without its version, which is 0 at the door."""
    entry, claim = acceptance
    return (*(claim or NO_CLAIM), *entry[:8], *entry[9:11])
