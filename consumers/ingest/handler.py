"""Ingest: maps webhooks to commands, takes in datasets and jobs, cancels."""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from consumers.ingest import dataset as datasets
from consumers.ingest import store
from consumers.ingest.dataset import BY, Dataset
from consumers.ingest.decide import Decision, cancellation, request
from consumers.ingest.mapping import Unmappable, command, has_types
from consumers.ingest.readings import store as readings
from consumers.ingest.readings.remembered import Readings, names_in
from consumers.ingest.row_buffers.append import Taken, take_in
from consumers.ingest.rows import rows
from consumers.jobs import store as jobs
from consumers.jobs.job import Job
from consumers.jobs.store import Key as JobKey
from consumers.log.outcome import Applied, Ignored, Outcome, Rejected
from consumers.log.pacing import Pace
from consumers.ports import RequestBody, SourceMappings
from consumers.work import store as work
from consumers.work.work_item import NewWorkItem
from schemas.datasets import DatasetSubmitted
from schemas.event import Event, following
from schemas.jobs import JobCancelRequested, JobRequested
from schemas.ports import Clock
from schemas.webhooks import WebhookReceived

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

VALIDATION = "validation"
TRAINING = "training"
VALIDATION_SECONDS = 900
# Rows stay in memory until they are written; a payload has at most 20,000 cells.
MOST_HELD_CELLS = 20_000

Submitted = Callable[["AsyncConnection", UUID, UUID], Awaitable[bool]]
"""Whether the log knows a dataset: (tx, tenant, dataset)."""


@dataclass
class _Batch:
    """What one poll's events are decided on."""

    datasets: dict[store.Key, Dataset]
    readings: Readings
    jobs: dict[JobKey, Job]
    mappings: Mapping[tuple[UUID, UUID], tuple[dict[str, Any], int]]
    new_datasets: list[Dataset] = field(default_factory=list)
    new_jobs: set[JobKey] = field(default_factory=set)
    touched: set[JobKey] = field(default_factory=set)
    taken: list[Taken] = field(default_factory=list)
    held_cells: int = 0
    work_items: list[NewWorkItem] = field(default_factory=list)
    stops: list[tuple[UUID, UUID, str]] = field(default_factory=list)
    named: dict[tuple[UUID, str], UUID | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Ingest:
    """The handler; what it needs of the sources and the log comes by port."""

    mappings: SourceMappings
    body: RequestBody
    submitted: Submitted
    clock: Clock

    async def __call__(self, tx: "AsyncConnection", events: Sequence[Event]) -> Sequence[Outcome]:
        """Lock and load what the events are about, decide in their order, write."""
        batch = await self._open(tx, events)
        outcomes = []
        pace = Pace()
        for event in events:
            outcomes.append(await self._one(tx, batch, event))
            if batch.held_cells >= MOST_HELD_CELLS:
                await _write_rows(tx, batch)
            await pace.turn()
        await _write_rows(tx, batch)
        await store.create(tx, batch.new_datasets)
        await readings.save(tx, batch.readings)
        await jobs.create(tx, [batch.jobs[key] for key in sorted(batch.new_jobs)])
        for key in sorted(batch.touched - batch.new_jobs):
            await jobs.save(tx, batch.jobs[key])
        await work.enqueue(tx, batch.work_items)
        for tenant, job_id, reason in sorted(batch.stops):
            await work.ask_to_stop(tx, tenant, TRAINING, job_id, reason)
        return outcomes

    async def _open(self, tx: "AsyncConnection", events: Sequence[Event]) -> _Batch:
        dataset_keys = {
            (event.tenantid, event.data.dataset_id)
            for event in events
            if isinstance(event.data, DatasetSubmitted | JobRequested)
        }
        job_keys = {
            (event.tenantid, event.data.job_id)
            for event in events
            if isinstance(event.data, JobRequested | JobCancelRequested)
        }
        sources = {
            (event.tenantid, event.data.source_id)
            for event in events
            if isinstance(event.data, WebhookReceived)
        }
        mappings = await self.mappings(tx, sources) if sources else {}
        locked = await store.lock(tx, dataset_keys)
        said = await readings.load(tx, names_in(events))  # before jobs, as a validation locks them
        return _Batch(locked, said, await jobs.lock(tx, job_keys), mappings)

    async def _one(self, tx: "AsyncConnection", batch: _Batch, event: Event) -> Outcome:
        match event.data:
            case WebhookReceived() as data:
                return await self._webhook(tx, batch, event, data)
            case DatasetSubmitted() as data:
                return self._dataset(batch, event, data)
            case JobRequested() as data:
                key = (event.tenantid, data.dataset_id)
                known = batch.datasets.get(key)
                submitted = known is not None or await self.submitted(tx, *key)
                job = batch.jobs.get((event.tenantid, data.job_id))
                decision = request(
                    event, data, job, known, submitted=submitted, at=self.clock.now()
                )
                return _note(batch, event, data.job_id, decision, new=True)
            case JobCancelRequested() as data:
                job = batch.jobs.get((event.tenantid, data.job_id))
                decision = cancellation(event, data, job, self.clock.now())
                if decision.stop:
                    batch.stops.append((event.tenantid, data.job_id, data.reason))
                return _note(batch, event, data.job_id, decision, new=False)
            case _:
                return Ignored("not for ingest")

    async def _webhook(
        self, tx: "AsyncConnection", batch: _Batch, event: Event, data: WebhookReceived
    ) -> Outcome:
        found = batch.mappings.get((event.tenantid, data.source_id))
        if found is None:
            return Rejected("user_config", f"the source {data.source_id} is gone")
        action, version = found
        if action["kind"] == "forward":
            return Ignored("the source only forwards")
        body = await self._body(tx, event.tenantid, data)
        if body is None:
            return Rejected("internal", f"the body of request {data.request_id} is gone")
        try:
            if action["kind"] == "rows":
                made = rows(body, action, version, data.content_type)
                if not made:
                    return Ignored("the payload has no row with a value")
                batch.taken.append(
                    Taken(
                        event,
                        data.source_id,
                        action,
                        version,
                        made,
                        has_types(body, data.content_type),
                    )
                )
                batch.held_cells += len(made) * len(action["columns"])
                return Applied()
            mapped = command(body, action, version, event.id, data.content_type)
            asked = mapped.job(await _dataset_of(tx, batch, event.tenantid, mapped.dataset))
        except Unmappable as error:
            return Rejected("user_config", str(error))
        return Applied(
            (
                following(
                    event.cause,
                    asked,
                    by=BY,
                    subject=str(asked.job_id),
                    version=0,
                    at=self.clock.now(),
                ),
            )
        )

    async def _body(
        self, tx: "AsyncConnection", tenant: UUID, data: WebhookReceived
    ) -> bytes | None:
        match data.body_encoding:
            case "text":
                return (data.body or "").encode()
            case "base64":
                return base64.b64decode(data.body or "")
            case "reference":
                return await self.body(tx, tenant, data.request_id)

    def _dataset(self, batch: _Batch, event: Event, data: DatasetSubmitted) -> Outcome:
        key = (event.tenantid, data.dataset_id)
        if key in batch.datasets:
            return Ignored("the dataset exists")
        now = self.clock.now()
        reading, is_remembered = batch.readings.take(event, data)
        batch.datasets[key] = datasets.submitted(event, data, reading)
        batch.new_datasets.append(batch.datasets[key])
        batch.work_items.append(
            NewWorkItem(
                event.tenantid,
                VALIDATION,
                data.dataset_id,
                {
                    "object_key": data.object_key,
                    "is_remembered": is_remembered,
                    "reading": reading and reading.model_dump(mode="json"),
                },
                event.cause,
                now,
                now + timedelta(seconds=VALIDATION_SECONDS),
            )
        )
        return Applied()


async def _dataset_of(
    tx: "AsyncConnection", batch: _Batch, tenant: UUID, named: UUID | str
) -> UUID | None:
    """An id as it is; of a name the newest valid version, the same for all events of one poll."""
    if isinstance(named, UUID):
        return named
    if (tenant, named) not in batch.named:
        batch.named[tenant, named] = await store.newest_valid(tx, tenant, named)
    return batch.named[tenant, named]


async def _write_rows(tx: "AsyncConnection", batch: _Batch) -> None:
    batch.work_items += await take_in(tx, batch.taken)
    batch.taken.clear()
    batch.held_cells = 0


def _note(batch: _Batch, event: Event, job_id: UUID, decision: Decision, *, new: bool) -> Outcome:
    if decision.job is not None:
        key = (event.tenantid, job_id)
        batch.jobs[key] = decision.job
        batch.touched.add(key)
        if new:
            batch.new_jobs.add(key)
    return decision.outcome
