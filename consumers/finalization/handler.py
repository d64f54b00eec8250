"""Finalization: a trained job's model is registered, and the job is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from consumers.finalization import store
from consumers.jobs import store as jobs
from consumers.jobs.job import Job, fail, move
from consumers.log.outcome import Applied, Ignored, Outcome
from consumers.ports import Ledger
from schemas.event import Event, following
from schemas.jobs import JobSucceeded, JobTrained, ModelReference
from schemas.measures import better_than_baseline
from schemas.models import ModelRegistered, task_mismatch
from schemas.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BY = "finalization"


@dataclass(frozen=True)
class Finalization:
    """The handler that registers the model of a finished job."""

    ledger: Ledger
    clock: Clock

    async def __call__(self, tx: "AsyncConnection", events: Sequence[Event]) -> Sequence[Outcome]:
        """Lock all the jobs first, then each line in turn (two that cross are a deadlock, which
        is tried again).
        """
        keys = [
            (event.tenantid, event.data.job_id)
            for event in events
            if isinstance(event.data, JobTrained)
        ]
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

    async def _register(
        self, tx: "AsyncConnection", event: Event, data: JobTrained, job: Job
    ) -> Outcome:
        now = self.clock.now()
        version = await store.next_version(tx, job.tenant, data.model)
        # Under the lock that `next_version` took: of two first jobs with different targets, the
        # second one fails.
        known = await store.tasks_of(tx, [(job.tenant, data.model)]) if version > 1 else {}
        if refused := task_mismatch(
            data.model, known.get((job.tenant, data.model)), data.target, data.task
        ):
            await store.give_back(tx, job.tenant, data.model)
            failed = fail(
                job, "user_config", "model_mismatch", refused, cause=event.id, by=BY, at=now
            )
            await jobs.save(tx, failed.job)
            return Applied((failed.event,))
        await store.register(tx, job.tenant, version, data)
        registered = ModelRegistered(
            name=data.model,
            version=version,
            job_id=job.id,
            dataset_id=data.dataset_id,
            dataset_version=data.dataset_version,
            target=data.target,
            task=data.task,
            metrics=data.metrics,
            baseline=data.baseline,
            details=data.details,
            artifacts=data.artifacts,
        )
        succeeded = JobSucceeded(
            job_id=job.id,
            task=data.task,
            metrics=data.metrics,
            baseline=data.baseline,
            model=ModelReference(name=data.model, version=version),
            reason=_reason(data),
        )
        moved = move(job, "succeeded", succeeded, cause=event.id, by=BY, at=now)
        await jobs.save(tx, moved.job)
        announced = following(
            event.cause, registered, by=BY, subject=data.model, version=version, at=now
        )
        billed = await self.ledger(
            tx,
            moved.event.cause,
            record_key=f"jobs:{job.id}",
            meter="jobs",
            quantity=Decimal(1),
            subject=str(job.id),
            at=now,
        )
        return Applied((announced, moved.event, *billed))


def _reason(data: JobTrained) -> str:
    if better_than_baseline(data.task, data.metrics, data.baseline) is False:
        return "its model is registered; it is no better than the baseline"
    return "its model is registered"
