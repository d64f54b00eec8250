"""The work queue: claims with exact caps, leases, and a fence around every finish."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, Update, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.work.tables import work
from consumers.work.work_item import NewWorkItem, WorkItem
from schemas.event import Cause
from schemas.ids import derived

# One claim at a time per queue: counting and choosing are then exact.
QUEUE_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('headrace.work.' || :queue, 0))")
# The tenant with the least running first, then the one whose last turn is longest ago: with one
# slot nobody runs anything at a claim, and age alone would be the order of a flood. Within a tenant
# priority, then the place in the queue, which an attempt that failed keeps. `heads` steps from
# tenant to tenant in the index, however much each has waiting. A lease that ran out is up for
# choice again, but not before one lease after a start of the database: its holder may only just be
# able to say that it lives. The UPDATE asks its conditions of the row again: it waits for whoever
# finishes or extends the item meanwhile, and must not lease what it finds then.
#
# `deadline` is until the first claim when the item must have begun, and from then on when it must
# be done; one that waited for too long keeps the first. What its holder returned has begun: its
# next claim is like its first. An older release wrote no `run_seconds`: the deadline is as far from
# the claim then as it was from the row's beginning.
CLAIM = text("""
    WITH RECURSIVE clock AS MATERIALIZED (SELECT headrace_clock() AS now), running AS (
        SELECT tenant_id, count(*) AS items FROM work
        WHERE queue = :queue AND state = 'leased' AND lease_until >= (SELECT now FROM clock)
            GROUP BY tenant_id
    ), heads AS (
        (SELECT tenant_id, priority, created_at, id FROM work
         WHERE queue = :queue AND state = 'ready' AND ready_at <= (SELECT now FROM clock)
         ORDER BY tenant_id, priority DESC, created_at, id LIMIT 1)
        UNION ALL
        SELECT next.* FROM heads, LATERAL (
            SELECT tenant_id, priority, created_at, id FROM work
            WHERE queue = :queue AND state = 'ready' AND ready_at <= (SELECT now FROM clock)
              AND tenant_id > heads.tenant_id
            ORDER BY tenant_id, priority DESC, created_at, id LIMIT 1) AS next
    ), open AS (
        SELECT *, false AS expired FROM heads
        UNION ALL
        SELECT tenant_id, priority, created_at, id, true FROM work
        WHERE queue = :queue AND state = 'leased' AND lease_until < (SELECT now FROM clock)
          AND pg_postmaster_start_time() + make_interval(secs => :lease) < clock_timestamp()
    ), chosen AS (
        SELECT o.tenant_id, o.id, o.expired FROM open o LEFT JOIN running r USING (tenant_id)
        WHERE coalesce(r.items, 0) < coalesce(CAST(:most AS bigint), 1 << 30)
        ORDER BY coalesce(r.items, 0), (
            SELECT max(t.claimed_at) FROM work t WHERE t.queue = :queue
                AND t.tenant_id = o.tenant_id
        ) NULLS FIRST, o.priority DESC, o.created_at, o.id
        LIMIT 1
    )
    UPDATE work w SET state = 'leased', attempt = w.attempt + 1, token = w.token + 1,
        claimed_at = headrace_clock(),
                      lease_until = headrace_clock() + make_interval(secs => :lease),
                      deadline = CASE
                          WHEN w.attempt > 0 THEN w.deadline
                          WHEN w.run_seconds IS NULL THEN headrace_clock() + (w.deadline -
                              w.created_at)
                          WHEN w.deadline < headrace_clock()
                              AND w.claimed_at IS NULL THEN w.deadline
                          ELSE headrace_clock() + make_interval(secs => w.run_seconds) END
    FROM chosen c WHERE w.tenant_id = c.tenant_id AND w.id = c.id
      AND CASE WHEN c.expired THEN w.state = 'leased' AND w.lease_until < (SELECT now FROM clock)
               ELSE w.state = 'ready' AND w.ready_at <= (SELECT now FROM clock) END
    RETURNING w.tenant_id, w.id, w.queue, w.subject_id, w.payload, w.attempt, w.max_attempts,
        w.token, w.deadline,
              w.cancel_reason, w.cause_id, w.correlation_id, w.traceparent, c.expired
""")
BEAT = text("""
    UPDATE work SET lease_until = headrace_clock() + make_interval(secs => :lease)
    WHERE tenant_id = :tenant AND id = :id AND token = :token AND state = 'leased'
    RETURNING cancel_reason
""")

# `ready_at` is when the last attempt could begin: what is done was done after it.
DONE_BEFORE = "FROM work WHERE state = 'done' AND ready_at < :before"
EXPIRE = text(
    f"DELETE FROM work WHERE ctid = ANY(ARRAY(SELECT ctid {DONE_BEFORE} ORDER BY ready_at LIMIT "
    ":limit))"
)
EXPIRED = text(f"SELECT count(*) {DONE_BEFORE}")


class LeaseLost(Exception):
    """Raised when another worker has the work item now: whatever this holder has is discarded."""


async def enqueue(tx: AsyncConnection, items: Sequence[NewWorkItem]) -> None:
    """Insert work items into their queues; a subject that is there already stays as it is."""
    if not items:
        return
    rows = [
        {
            "tenant_id": one.tenant,
            "id": derived(one.subject, "work", one.queue),
            "queue": one.queue,
            "subject_id": one.subject,
            "payload": one.payload,
            "priority": one.priority,
            "max_attempts": one.max_attempts,
            "ready_at": one.created_at,
            "created_at": one.created_at,
            "deadline": one.deadline,
            "run_seconds": one.run_seconds,
            "cause_id": one.cause.id,
            "correlation_id": one.cause.correlation,
            "traceparent": one.cause.traceparent,
        }
        for one in sorted(items, key=lambda one: (one.tenant, one.subject))
    ]
    await tx.execute(insert(work).values(rows).on_conflict_do_nothing())


async def claim(
    tx: AsyncConnection, queue: str, lease_seconds: float, most: int | None = None
) -> WorkItem | None:
    """Claim the next work item under a lease, which uses an attempt. None when there is nothing to
    do.

    A tenant that has `most` items running gets no further one.
    """
    await tx.execute(QUEUE_LOCK, {"queue": queue})
    row = (
        (await tx.execute(CLAIM, {"queue": queue, "lease": lease_seconds, "most": most}))
        .mappings()
        .one_or_none()
    )
    return None if row is None else _claimed(row)


async def heartbeat(tx: AsyncConnection, item: WorkItem, lease_seconds: float) -> str | None:
    """Extend the lease; the reason when it was asked to stop. Raises LeaseLost."""
    given = {"tenant": item.tenant, "id": item.id, "token": item.token, "lease": lease_seconds}
    row = (await tx.execute(BEAT, given)).one_or_none()
    if row is None:
        raise LeaseLost(f"{item.queue} {item.subject} attempt {item.attempt}")
    return row.cancel_reason  # type: ignore[no-any-return]


async def fence(tx: AsyncConnection, item: WorkItem) -> None:
    """Lock the work item and check that its token is still the current one. Raises LeaseLost."""
    query = select(work.c.token).where(
        work.c.tenant_id == item.tenant, work.c.id == item.id, work.c.state == "leased"
    )
    if (await tx.execute(query.with_for_update())).scalar_one_or_none() != item.token:
        raise LeaseLost(f"{item.queue} {item.subject} attempt {item.attempt}")


async def done(tx: AsyncConnection, item: WorkItem) -> None:
    """Mark a fenced work item as done."""
    await tx.execute(_this(item).values(state="done", lease_until=None))


async def release(tx: AsyncConnection, item: WorkItem, ready_at: datetime) -> None:
    """Put a fenced work item back for its next attempt; it keeps its place in the queue."""
    await tx.execute(_this(item).values(state="ready", lease_until=None, ready_at=ready_at))


async def return_unused(tx: AsyncConnection, item: WorkItem) -> None:
    """Put a fenced work item back at once without using its attempt: its holder stops in order."""
    values = {
        "state": "ready",
        "lease_until": None,
        "ready_at": func.headrace_clock(),
        "attempt": work.c.attempt - 1,
    }
    await tx.execute(_this(item).values(values))


async def ask_to_stop(
    tx: AsyncConnection, tenant: UUID, queue: str, subject: UUID, reason: str
) -> None:
    """Ask the holder of a work item to stop at its next heartbeat.

    An item that nobody holds is due at once: whoever claims it ends its subject, which can be
    between two attempts and would never end if the item were closed here.
    """
    mine = (work.c.tenant_id == tenant) & (work.c.queue == queue) & (work.c.subject_id == subject)
    await tx.execute(update(work).where(mine, work.c.state != "done").values(cancel_reason=reason))
    await tx.execute(
        update(work).where(mine, work.c.state == "ready").values(ready_at=func.headrace_clock())
    )


async def expire(tx: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete the oldest work items that are done; returns how many."""
    return (await tx.execute(EXPIRE, {"before": before, "limit": limit})).rowcount


async def expired(tx: AsyncConnection, before: datetime) -> int:
    """How many there are to remove."""
    return int((await tx.execute(EXPIRED, {"before": before})).scalar_one())


def _this(item: WorkItem) -> Update:
    return update(work).where(work.c.tenant_id == item.tenant, work.c.id == item.id)


def _claimed(row: RowMapping) -> WorkItem:
    return WorkItem(
        row["tenant_id"],
        row["id"],
        row["queue"],
        row["subject_id"],
        row["payload"],
        row["attempt"],
        row["max_attempts"],
        row["token"],
        row["deadline"],
        row["cancel_reason"],
        Cause(row["cause_id"], row["tenant_id"], row["correlation_id"], row["traceparent"]),
        row["expired"],
    )
