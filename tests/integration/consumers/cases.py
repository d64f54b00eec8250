"""For every kind of event that a consumer reads: what is there before it, and what its effect
is, counted.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.event import Event
from tests.integration.consumers import rows

Prepare = Callable[[AsyncConnection, UUID], Awaitable[Event]]


@dataclass(frozen=True)
class Case:
    """`prepare` makes what the event needs; each adds `adds` rows and says `says`; `again`: its
    type has a case.
    """

    consumer: str
    name: str
    prepare: Prepare
    adds: Mapping[str, int]
    says: Sequence[str] = ()
    again: bool = False

    def __str__(self) -> str:
        return f"{self.consumer}-{self.name}"


async def _webhook(tx: AsyncConnection, tenant: UUID) -> Event:
    dataset = await rows.given_dataset(tx, tenant)
    payload = {"dataset_id": str(dataset.id), "target": "target", "model": "wine"}
    return rows.webhook(tenant, await rows.given_source(tx, tenant), json.dumps(payload))


async def _rows(tx: AsyncConnection, tenant: UUID) -> Event:
    seal = {"every_rows": 1, "every_seconds": 60, "window": "all", "window_rows": 100}
    action = {"kind": "rows", "dataset": "d", "columns": {"a": "a", "b": "b"}, "seal": seal}
    return rows.webhook(
        tenant, await rows.given_source(tx, tenant, action=action), '{"a": 1, "b": null}'
    )


async def _submission(_: AsyncConnection, tenant: UUID) -> Event:
    return rows.submission(tenant)


async def _request(tx: AsyncConnection, tenant: UUID) -> Event:
    return rows.request(tenant, (await rows.given_dataset(tx, tenant)).id)


async def _cancellation(tx: AsyncConnection, tenant: UUID) -> Event:
    return rows.cancellation(tenant, (await rows.given_job(tx, tenant, "queued")).id)


async def _queued(tx: AsyncConnection, tenant: UUID) -> Event:
    return rows.queued(await rows.given_job(tx, tenant, "queued"))


async def _trained(tx: AsyncConnection, tenant: UUID) -> Event:
    return rows.trained(await rows.given_job(tx, tenant, "finalizing", version=3))


async def _counted(tx: AsyncConnection, tenant: UUID) -> Event:
    return rows.webhook(tenant, await rows.given_source(tx, tenant))


CASES = (
    Case("ingest", "webhook", _webhook, {"events": 1}, ["job.requested"]),
    Case(
        "ingest",
        "rows",
        _rows,
        {"streams": 1, "stream_rows": 1, "stream_batches": 1, "work": 1},
        again=True,
    ),
    Case("ingest", "dataset", _submission, {"datasets": 1, "work": 1}),
    Case("ingest", "request", _request, {"jobs": 1, "events": 1}, ["job.queued"]),
    Case("ingest", "cancel", _cancellation, {"events": 1}, ["job.canceled"]),
    Case("training", "queued", _queued, {"work": 1}),
    Case(
        "finalization",
        "trained",
        _trained,
        {"models": 1, "model_versions": 1, "usage_records": 1, "events": 3},
        ["model.registered", "job.succeeded", "usage.recorded"],
    ),
    Case("billing", "webhook", _counted, {"usage_records": 1, "events": 1}, ["usage.recorded"]),
)
