"""Finalization: a trained job's model is registered, and the job is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from consumers.finalization import store
from consumers.jobs import store as jobs
from consumers.jobs.job import Job, move
from consumers.outcome import Applied, Ignored, Outcome
from consumers.ports import Clock, Ledger
from schemas.event import Event, following
from schemas.jobs import JobSucceeded, JobTrained, ModelReference
from schemas.models import ModelRegistered

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BY = "finalization"


@dataclass(frozen=True)
class Finalization:
    """The handler."""

    ledger: Ledger
    clock: Clock

    async def __call__(self, tx: "AsyncConnection", events: Sequence[Event]) -> Sequence[Outcome]:
        """Lock all the jobs first, then each line in turn (two that cross are a deadlock, which is tried again)."""
        keys = [(event.tenantid, event.data.job_id) for event in events if isinstance(event.data, JobTrained)]
        known = await jobs.lock(tx, keys)
        outcomes: list[Outcome] = []
        for event in events:
            data = event.data
            job = known.get((event.tenantid, data.job_id)) if isinstance(data, JobTrained) else None
            if job is None or not isinstance(data, JobTrained):
                outcomes.append(Ignored("there is no such job"))
            elif job.state != "finalizing":
                outcomes.append(Ignored(f"the job is {job.state}"))
            else:
                outcomes.append(await self._register(tx, event, data, job))
        return outcomes

    async def _register(self, tx: "AsyncConnection", event: Event, data: JobTrained, job: Job) -> Outcome:
        now = self.clock.now()
        version = await store.next_version(tx, job.tenant, data.model)
        await store.register(tx, job.tenant, version, data)
        registered = ModelRegistered(
            name=data.model, version=version, job_id=job.id, dataset_id=data.dataset_id,
            dataset_version=data.dataset_version, target=data.target, task=data.task, metrics=data.metrics,
            baseline=data.baseline, details=data.details, artifacts=data.artifacts,
        )  # fmt: skip
        succeeded = JobSucceeded(
            job_id=job.id, task=data.task, metrics=data.metrics, baseline=data.baseline,
            model=ModelReference(name=data.model, version=version), reason="its model is registered",
        )  # fmt: skip
        moved = move(job, "succeeded", succeeded, cause=event.id, by=BY, at=now)
        await jobs.save(tx, moved.job)
        told = following(event.cause, registered, by=BY, subject=data.model, version=version, at=now)
        billed = await self.ledger(
            tx, moved.event.cause, record_key=f"jobs:{job.id}", meter="jobs", quantity=Decimal(1),
            subject=str(job.id), at=now,
        )  # fmt: skip
        return Applied((told, moved.event, *billed))
