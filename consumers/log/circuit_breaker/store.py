"""The row of a consumer's breaker; without one it runs."""

import json
from collections.abc import Sequence

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.log.circuit_breaker.policy import Judgement
from consumers.log.circuit_breaker.tables import consumer_breakers

MAKE = text("INSERT INTO consumer_breakers (consumer) VALUES (:consumer) ON CONFLICT DO NOTHING")
LOCK = text("""
    SELECT state, recent, allowed, tenants, extract(epoch FROM headrace_clock())::float8 AS now
    FROM consumer_breakers WHERE consumer = :consumer FOR UPDATE
""")
NOTE = text("""
    UPDATE consumer_breakers SET recent = :recent, allowed = :allowed,
        tenants = CAST(:tenants AS jsonb)
    WHERE consumer = :consumer
""")
# A resumed consumer begins with a clean window: what failed before must not stop it at the first
# failure.
CHANGE = text("""
    INSERT INTO consumer_breakers (consumer, state, reason, changed_by, allowed)
    VALUES (:consumer, :state, :reason, :by, :allowed)
    ON CONFLICT (consumer) DO UPDATE
    SET state = excluded.state, reason = excluded.reason, changed_by = excluded.changed_by,
        since = headrace_clock(),
        allowed = excluded.allowed,
        recent = CASE excluded.state WHEN 'running' THEN '' ELSE consumer_breakers.recent END,
        tenants = CASE excluded.state WHEN 'running' THEN '{}' ELSE consumer_breakers.tenants END
    WHERE consumer_breakers.state <> excluded.state
    RETURNING consumer
""")


async def locked(tx: AsyncConnection, consumer: str) -> tuple[bool, Judgement, float]:
    """Lock the row, which is made when new: whether the consumer is paused, what was judged
    before, and the time.
    """
    found = (await tx.execute(LOCK, {"consumer": consumer})).one_or_none()
    if found is None:
        await tx.execute(MAKE, {"consumer": consumer})
        found = (await tx.execute(LOCK, {"consumer": consumer})).one()
    failed, witnesses = found.tenants.get("failed", ()), found.tenants.get("witnesses", {})
    before = Judgement(found.recent, None, found.allowed, tuple(failed), witnesses)
    return found.state == "paused", before, found.now


async def note(tx: AsyncConnection, consumer: str, found: Judgement) -> None:
    """Remember the latest outcomes."""
    tenants = json.dumps({"failed": found.failed, "witnesses": dict(found.witnesses)})
    values = {"recent": found.recent, "allowed": found.allowed, "tenants": tenants}
    await tx.execute(NOTE, {"consumer": consumer, **values})


async def pause(tx: AsyncConnection, consumer: str, reason: str, by: str) -> bool:
    """Pause the consumer in every process; False when it is paused already (its reason is kept)."""
    return await _change(tx, consumer, "paused", reason, by)


async def resume(
    tx: AsyncConnection, consumer: str, reason: str, by: str, allowed: int = 0
) -> bool:
    """Let it go on from its positions, and so many failures pass; False when it is not paused."""
    await tx.execute(MAKE, {"consumer": consumer})
    return await _change(tx, consumer, "running", reason, by, allowed)


async def states(tx: AsyncConnection) -> Sequence[RowMapping]:
    """Every row there is."""
    return (
        (await tx.execute(select(consumer_breakers).order_by(consumer_breakers.c.consumer)))
        .mappings()
        .all()
    )


async def is_paused(tx: AsyncConnection, consumer: str) -> bool:
    """Whether the consumer is paused; takes no lock."""
    of = select(consumer_breakers.c.state).where(consumer_breakers.c.consumer == consumer)
    return (await tx.execute(of)).scalar_one_or_none() == "paused"


async def _change(
    tx: AsyncConnection, consumer: str, state: str, reason: str, by: str, allowed: int = 0
) -> bool:
    given = {"consumer": consumer, "state": state, "reason": reason, "by": by, "allowed": allowed}
    return (await tx.execute(CHANGE, given)).first() is not None
