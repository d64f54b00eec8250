"""Turns between replays, and their items one by one."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.dead_letters.dead_letter import storable
from consumers.replays.worker.decide import Verdict

# Every replay worker may do this; whoever commits last sees that nothing is pending.
FINISH = text("""
    WITH over AS (
        SELECT tenant_id, id FROM replays r
        WHERE state = 'running' AND NOT EXISTS (
            SELECT FROM replay_items i WHERE i.tenant_id = r.tenant_id AND i.replay_id = r.id
                AND i.state = 'pending')
        ORDER BY due_at LIMIT 100 FOR UPDATE SKIP LOCKED
    )
    UPDATE replays r SET state = 'finished', finished_at = headrace_clock()
    FROM over WHERE r.tenant_id = over.tenant_id AND r.id = over.id
""")
# The tenant whose last turn here is longest ago gets the next one, however many replays each has
# running, and of its own the replay that waits longest: it goes to the back then. A
# throttled one is not due again before what it was given is paid for, whichever process took it; a
# turn whose process dies is lost, and nothing else. `heads` steps from tenant to tenant in the
# index; what is locked is asked once more, since another may have had the turn meanwhile.
OPEN = """
    state = 'running' AND due_at <= headrace_clock() AND EXISTS (
        SELECT FROM replay_items i
        WHERE i.tenant_id = r.tenant_id AND i.replay_id = r.id AND i.consumer = :consumer
          AND i.state = 'pending' AND i.ready_at <= headrace_clock())
"""
TURN = text(f"""
    WITH RECURSIVE heads AS (
        (SELECT tenant_id, id, due_at FROM replays r WHERE {OPEN} ORDER BY tenant_id, due_at, id
            LIMIT 1)
        UNION ALL
        SELECT next.* FROM heads, LATERAL (
            SELECT tenant_id, id, due_at FROM replays r WHERE {OPEN} AND tenant_id > heads.tenant_id
            ORDER BY tenant_id, due_at, id LIMIT 1) AS next
    ), next AS (
        SELECT r.tenant_id, r.id FROM heads h
        JOIN replays r ON r.tenant_id = h.tenant_id AND r.id = h.id
        LEFT JOIN replay_turns t ON t.tenant_id = h.tenant_id AND t.consumer = :consumer
        WHERE r.state = 'running' AND r.due_at <= headrace_clock()
        ORDER BY t.at NULLS FIRST, h.due_at, h.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED
    ), given AS (
        SELECT r.tenant_id, r.id, coalesce(greatest(1, least(:most,
            floor(r.throttle_per_second / 10))), :most) AS share
        FROM replays r JOIN next ON next.tenant_id = r.tenant_id AND next.id = r.id
    ), taken AS (
        INSERT INTO replay_turns (tenant_id, consumer) SELECT tenant_id, :consumer FROM given
        ON CONFLICT (tenant_id, consumer) DO UPDATE SET at = headrace_clock()
    )
    UPDATE replays r
    SET due_at = headrace_clock() + make_interval(secs => coalesce(given.share /
        r.throttle_per_second, 0))
    FROM given WHERE r.tenant_id = given.tenant_id AND r.id = given.id
    RETURNING r.tenant_id, r.id, CAST(given.share AS integer) AS share
""")
NEXT_DUE = text("""
    SELECT CAST(extract(epoch FROM min(due_at) - headrace_clock()) AS float8) FROM replays r
    WHERE state = 'running' AND EXISTS (
        SELECT FROM replay_items i
        WHERE i.tenant_id = r.tenant_id AND i.replay_id = r.id AND i.consumer = :consumer
          AND i.state = 'pending' AND i.ready_at <= headrace_clock())
""")
TAKE = text("""
    SELECT place, subject_id, event_id, attempts FROM replay_items
    WHERE tenant_id = :tenant AND replay_id = :replay AND consumer = :consumer AND state = 'pending'
      AND ready_at <= headrace_clock()
    ORDER BY place LIMIT 1 FOR UPDATE SKIP LOCKED
""")
KIND = text("SELECT kind FROM replays WHERE tenant_id = :tenant AND id = :replay")
SETTLE = text("""
    UPDATE replay_items
    SET state = :state, detail = :detail, attempts = attempts + 1, settled_at = headrace_clock()
    WHERE tenant_id = :tenant AND replay_id = :replay AND place = :place
""")
POSTPONE = text("""
    UPDATE replay_items
    SET detail = :detail, attempts = attempts + 1, ready_at = headrace_clock() + make_interval(secs
        => :seconds)
    WHERE tenant_id = :tenant AND replay_id = :replay AND place = :place AND state = 'pending'
""")
MOST_AT_ONCE = 20
LONGEST_PAUSE_SECONDS = 60.0


class ReplayTurn(NamedTuple):
    """A replay that may go on, by so many items."""

    tenant: UUID
    replay: UUID
    share: int


class ReplayItem(NamedTuple):
    """One message of a replay, its row locked."""

    tenant: UUID
    replay: UUID
    place: int
    of_request: bool
    subject: UUID
    event_id: UUID | None
    attempts: int


async def finish(tx: AsyncConnection) -> None:
    """End the replays that have nothing pending."""
    await tx.execute(FINISH)


async def turn(tx: AsyncConnection, consumer: str) -> ReplayTurn | None:
    """Whose turn it is; None when nothing is due for this consumer."""
    row = (await tx.execute(TURN, {"consumer": consumer, "most": MOST_AT_ONCE})).one_or_none()
    return None if row is None else ReplayTurn(row.tenant_id, row.id, row.share)


async def next_due(tx: AsyncConnection, consumer: str) -> float | None:
    """Seconds until a turn may be due; None when nothing is pending, or all that is waits to be
    tried again.
    """
    seconds: float | None = (await tx.execute(NEXT_DUE, {"consumer": consumer})).scalar_one()
    return seconds


async def take(tx: AsyncConnection, given: ReplayTurn, consumer: str) -> ReplayItem | None:
    """Lock the next item that nobody has in hand."""
    whose = {"tenant": given.tenant, "replay": given.replay}
    row = (await tx.execute(TAKE, {**whose, "consumer": consumer})).one_or_none()
    if row is None:
        return None
    of_request = (await tx.execute(KIND, whose)).scalar_one() == "requests"
    return ReplayItem(
        given.tenant,
        given.replay,
        row.place,
        of_request,
        row.subject_id,
        row.event_id,
        row.attempts,
    )


async def settle(tx: AsyncConnection, item: ReplayItem, verdict: Verdict) -> None:
    """Note the outcome of a locked item."""
    detail = None if verdict.detail is None else storable(verdict.detail)
    await tx.execute(SETTLE, {**_this(item), "state": verdict.state, "detail": detail})


async def postpone(tx: AsyncConnection, item: ReplayItem, why: str) -> None:
    """Leave an item pending, for a while."""
    seconds = min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** min(item.attempts, 10))
    await tx.execute(POSTPONE, {**_this(item), "detail": storable(why), "seconds": seconds})


def _this(item: ReplayItem) -> dict[str, Any]:
    return {"tenant": item.tenant, "replay": item.replay, "place": item.place}
