"""Training, as a consumer: a queued job becomes a work item; nothing is trained here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from consumers.jobs import store as jobs
from consumers.jobs.job import fail
from consumers.log.outcome import Applied, Ignored, Outcome
from consumers.work import store as work
from consumers.work.work_item import NewWorkItem
from schemas.event import Event
from schemas.jobs import JobQueued
from schemas.models import ModelTask, task_mismatch
from schemas.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

TRAINING = "training"
BY = "training"
CARRIED = {"dataset_id", "dataset_version", "object_key", "columns", "target", "options"}


class ModelTasks(Protocol):
    """What models predict, from their owner."""

    async def __call__(
        self, tx: "AsyncConnection", names: Collection[tuple[UUID, str]]
    ) -> Mapping[tuple[UUID, str], ModelTask]:
        """By tenant and name; a model without a version has none."""


@dataclass(frozen=True)
class Training:
    """The handler.

    A job waits for at most `queue_seconds`, and takes `run_seconds` from when a worker takes it up.
    """

    clock: Clock
    run_seconds: float
    queue_seconds: float
    model_tasks: ModelTasks

    async def __call__(self, tx: "AsyncConnection", events: Sequence[Event]) -> Sequence[Outcome]:
        """Put each job that is still queued into the work queue."""
        asked = [(event, event.data) for event in events if isinstance(event.data, JobQueued)]
        known = await jobs.lock(tx, [(event.tenantid, data.job_id) for event, data in asked])
        tasks = await self.model_tasks(tx, [(event.tenantid, data.model) for event, data in asked])
        now = self.clock.now()
        work_items: list[NewWorkItem] = []
        outcomes: list[Outcome] = []
        for event in events:
            data = event.data
            job = known.get((event.tenantid, data.job_id)) if isinstance(data, JobQueued) else None
            if job is None or not isinstance(data, JobQueued):
                outcomes.append(Ignored("there is no such job"))
                continue
            if job.state != "queued":
                outcomes.append(Ignored(f"the job is {job.state}"))
                continue
            learned = tasks.get((event.tenantid, data.model))
            if refused := task_mismatch(data.model, learned, data.target, data.options.get("task")):
                moved = fail(
                    job, "user_config", "model_mismatch", refused, cause=event.id, by=BY, at=now
                )
                await jobs.save(tx, moved.job)
                outcomes.append(Applied((moved.event,)))
                continue
            payload = data.model_dump(mode="json", include=CARRIED) | {
                "model_task": learned and learned.task
            }
            begins_by = now + timedelta(seconds=self.queue_seconds)
            work_items.append(
                NewWorkItem(
                    event.tenantid,
                    TRAINING,
                    job.id,
                    payload,
                    event.cause,
                    now,
                    begins_by,
                    run_seconds=self.run_seconds,
                )
            )
            outcomes.append(Applied())
        await work.enqueue(tx, work_items)
        return outcomes
