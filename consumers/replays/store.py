"""Rows of replays: made whole in one transaction, read, canceled."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, literal, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.dead_letters import store as letters
from consumers.replays.replay import Target, outcome_counts
from consumers.replays.tables import replay_items, replays
from schemas.cursor import Place

ADD_ITEMS = text("""
    INSERT INTO replay_items (tenant_id, replay_id, place, subject_id, event_id, consumer, state,
        detail, settled_at)
    SELECT :tenant, :replay, place, subject, event, consumer,
           CASE WHEN refused IS NULL THEN 'pending' ELSE 'skipped' END, refused,
           CASE WHEN refused IS NULL THEN NULL ELSE headrace_clock() END
    FROM unnest(CAST(:subjects AS uuid[]), CAST(:events AS uuid[]), CAST(:consumers AS text[]),
                CAST(:refused AS text[])) WITH ORDINALITY AS given(subject, event, consumer,
                    refused, place)
""")
SKIP_PENDING = text("""
    UPDATE replay_items SET state = 'skipped', detail = 'the replay was canceled',
        settled_at = headrace_clock()
    WHERE replay_id = :replay AND state = 'pending' RETURNING subject_id
""")
# What another replay has still before it stays `replaying`.
WANTED_ELSEWHERE = text("""
    SELECT DISTINCT i.subject_id FROM replay_items i JOIN replays r ON r.tenant_id = i.tenant_id
        AND r.id = i.replay_id
    WHERE i.subject_id = ANY(CAST(:subjects AS uuid[])) AND i.state = 'pending'
        AND r.state = 'running'
""")


class NewRow(NamedTuple):
    """A replay as it is asked for."""

    tenant: UUID
    id: UUID
    kind: str
    filter: dict[str, Any]
    reason: str | None
    throttle_per_second: float | None
    expected: int | None
    created_by: str


async def create(tx: AsyncConnection, new: NewRow, targets: Sequence[Target]) -> None:
    """A replay and its items, which are fixed from here on."""
    nothing = all(one.refused is not None for one in targets)
    row = {
        "tenant_id": new.tenant,
        "id": new.id,
        "kind": new.kind,
        "filter": new.filter,
        "reason": new.reason,
        "throttle_per_second": new.throttle_per_second,
        "expected": new.expected,
        "matched": len(targets),
        "created_by": new.created_by,
        "state": "finished" if nothing else "running",
        "finished_at": func.headrace_clock() if nothing else None,
    }
    await tx.execute(insert(replays).values(row))
    await tx.execute(
        ADD_ITEMS,
        {
            "tenant": new.tenant,
            "replay": new.id,
            "subjects": [one.subject for one in targets],
            "events": [one.event_id for one in targets],
            "consumers": [one.consumer for one in targets],
            "refused": [one.refused for one in targets],
        },
    )


async def cancel(tx: AsyncConnection, replay_id: UUID, by: str) -> bool:
    """Skip what is still pending; False when there is no such replay.

    One that is over stays as it is.
    """
    mine = replays.c.id == replay_id
    state = (
        await tx.execute(select(replays.c.state).where(mine).with_for_update())
    ).scalar_one_or_none()
    if state != "running":
        return state is not None
    subjects = list((await tx.execute(SKIP_PENDING, {"replay": replay_id})).scalars())
    ended = {"state": "canceled", "finished_at": func.headrace_clock(), "finished_by": by}
    await tx.execute(update(replays).where(mine).values(ended))
    wanted = set((await tx.execute(WANTED_ELSEWHERE, {"subjects": subjects})).scalars())
    await letters.put_back(tx, [one for one in subjects if one not in wanted])
    return True


async def page(tx: AsyncConnection, after: Place | None, limit: int) -> list[dict[str, Any]]:
    """The tenant's replays, newest first, with their counts."""
    query = select(replays)
    if after is not None:
        mark = tuple_(
            literal(after[0], replays.c.created_at.type), literal(after[1], replays.c.id.type)
        )
        query = query.where(tuple_(replays.c.created_at, replays.c.id) < mark)
    query = query.order_by(replays.c.created_at.desc(), replays.c.id.desc()).limit(limit)
    rows = (await tx.execute(query)).mappings().all()
    return await _with_counts(tx, rows)


async def one(tx: AsyncConnection, replay_id: UUID) -> dict[str, Any] | None:
    """One replay of the tenant."""
    rows = (await tx.execute(select(replays).where(replays.c.id == replay_id))).mappings().all()
    return (await _with_counts(tx, rows))[0] if rows else None


async def _with_counts(tx: AsyncConnection, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    counting = (
        select(replay_items.c.replay_id, replay_items.c.state, func.count())
        .where(replay_items.c.replay_id.in_([row["id"] for row in rows]))
        .group_by(replay_items.c.replay_id, replay_items.c.state)
    )
    found: dict[UUID, dict[str, int]] = {}
    for replay_id, state, count in await tx.execute(counting):
        found.setdefault(replay_id, {})[state] = count
    hidden = ("tenant_id", "due_at")
    return [
        {
            **{name: value for name, value in row.items() if name not in hidden},
            "counts": outcome_counts(found.get(row["id"], {})),
        }
        for row in rows
    ]


async def items(
    tx: AsyncConnection, replay_id: UUID, state: str | None, after: int, limit: int
) -> Sequence[RowMapping]:
    """Items of one replay in their order, from behind a place."""
    shown = [column for column in replay_items.c if column.name not in ("tenant_id", "replay_id")]
    query = select(*shown).where(
        replay_items.c.replay_id == replay_id, replay_items.c.place > after
    )
    if state is not None:
        query = query.where(replay_items.c.state == state)
    return (await tx.execute(query.order_by(replay_items.c.place).limit(limit))).mappings().all()


async def of_subject(tx: AsyncConnection, subject: UUID) -> Sequence[dict[str, Any]]:
    """What replays made of one request or dead letter, newest first."""
    own = (
        replay_items.c.state,
        replay_items.c.detail,
        replay_items.c.attempts,
        replay_items.c.settled_at,
    )
    whole = (
        replays.c.id.label("replay_id"),
        replays.c.reason,
        replays.c.created_at,
        replays.c.created_by,
    )
    query = (
        select(*whole, *own)
        .join_from(replay_items, replays)
        .where(replay_items.c.subject_id == subject)
    )
    rows = await tx.execute(query.order_by(replays.c.created_at.desc(), replays.c.id).limit(100))
    return [dict(row) for row in rows.mappings()]
