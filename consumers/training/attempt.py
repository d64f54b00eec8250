"""One attempt at a training job: what the worker says and stores around the child."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from consumers.jobs import store as jobs
from consumers.jobs.job import Job, Moved, cancel, expire, fail, move
from consumers.ports import Ledger, Objects
from consumers.training.handler import TRAINING
from consumers.training.protocol import Column, TrainRequest, TrainResult
from consumers.work.child_result import (
    Broken,
    Canceled,
    ChildRequest,
    ChildResult,
    Crashed,
    Finished,
    LimitExceeded,
    Progress,
    TenantRefused,
)
from consumers.work.limits import ResourceLimits
from consumers.work.work_item import WorkItem
from schemas.bounds import cut
from schemas.event import Event
from schemas.jobs import Artifact, JobProgressed, JobStarted, JobTrained
from schemas.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BY = "training"


@dataclass(frozen=True)
class TrainingAttempt:
    """The task of the queue `training`."""

    objects: Objects
    ledger: Ledger
    limits: ResourceLimits
    clock: Clock
    budget_seconds: float = 60.0
    queue: str = TRAINING

    async def start(
        self, tx: "AsyncConnection", item: WorkItem, at: datetime
    ) -> tuple[bool, Sequence[Event]]:
        """queued → running, or one more attempt.

        A job that is canceled or too late is not begun.
        """
        job = await _lock(tx, item)
        if job is None or job.state not in ("queued", "running"):
            return False, ()
        if job.cancel_reason is not None:
            return False, await _save(
                tx, cancel(job, job.cancel_reason, cause=item.cause.id, by=BY, at=at)
            )
        if at > item.deadline:
            reason = (
                "it waited in the queue for longer than it may"
                if item.attempt == 1
                else "its deadline passed"
            )
            return False, await _save(tx, expire(job, reason, cause=item.cause.id, by=BY, at=at))
        if job.state == "running" and job.attempt == item.attempt:
            return True, ()  # said already, in a commit whose answer was lost
        reason = (
            "a worker took it up"
            if item.attempt == 1
            else "its worker was lost; another took it up"
        )
        data = JobStarted(job_id=job.id, attempt=item.attempt, reason=reason)
        return True, await _save(
            tx, self._step(job, item, "running", data, at, attempt=item.attempt)
        )

    async def prepare(self, item: WorkItem, directory: Path) -> tuple[ChildRequest, ResourceLimits]:
        """The dataset's file, and what to do with it."""
        path = directory / "data.csv"
        await self.objects.fetch(item.payload["object_key"], path)
        request = TrainRequest(
            path=str(path),
            columns=tuple(Column.model_validate(one) for one in item.payload["columns"]),
            target=item.payload["target"],
            options=item.payload["options"],
            budget_seconds=self.budget_seconds,
            model_task=item.payload.get("model_task"),
        )
        left = max(1.0, (item.deadline - self.clock.now()).total_seconds())
        limits = replace(self.limits, wall_seconds=min(self.limits.wall_seconds, left))
        return ChildRequest("train", request.model_dump(mode="json"), directory), limits

    async def progress(
        self, tx: "AsyncConnection", item: WorkItem, progress: Progress, at: datetime
    ) -> Sequence[Event]:
        """How far the child is."""
        job = await _lock(tx, item)
        if job is None or job.state != "running":
            return ()
        data = JobProgressed(
            job_id=job.id,
            attempt=item.attempt,
            stage=progress.stage,
            fraction=min(1.0, max(0.0, progress.fraction)),
        )
        return await _save(tx, self._step(job, item, "running", data, at))

    async def deliver(self, item: WorkItem, directory: Path, result: ChildResult) -> None:
        """The model's files, under the attempt's own key: a zombie cannot overwrite another's."""
        if isinstance(result, Finished):
            for one in TrainResult.model_validate(result.result).artifacts:
                await self.objects.put_file(_key(item, one.name), directory / one.name)

    async def finish(
        self, tx: "AsyncConnection", item: WorkItem, result: ChildResult, at: datetime
    ) -> Sequence[Event]:
        """running → finalizing with the measures, or to the end that the result says."""
        job = await _lock(tx, item)
        if job is None or job.state != "running":
            return ()
        cause = item.cause.id
        match result:
            case Finished() if (
                job.cancel_reason is not None
            ):  # asked in time, and the child was faster than the word
                moved = cancel(job, job.cancel_reason, cause=cause, by=BY, at=at)
            case Finished():
                return await self._trained(tx, item, job, result, at)
            case TenantRefused(failure_class, code, message):
                moved = fail(job, failure_class, code, message, cause=cause, by=BY, at=at)
            case LimitExceeded("deadline", message):
                moved = expire(job, message, cause=cause, by=BY, at=at)
            case LimitExceeded(code, message):
                moved = fail(job, "quota", code, message, cause=cause, by=BY, at=at)
            case Broken(error_type, message):
                moved = fail(
                    job,
                    "internal",
                    "broken",
                    cut(f"{error_type}: {message}", 500),
                    cause=cause,
                    by=BY,
                    at=at,
                )
            case Crashed(message):
                moved = fail(
                    job, "infrastructure", "worker_crashed", message, cause=cause, by=BY, at=at
                )
            case Canceled():
                moved = cancel(job, job.cancel_reason or "asked to stop", cause=cause, by=BY, at=at)
        return await _save(tx, moved)

    async def give_up(
        self, tx: "AsyncConnection", item: WorkItem, code: str, message: str, at: datetime
    ) -> Sequence[Event]:
        """Every attempt was lost."""
        job = await _lock(tx, item)
        if job is None or job.state not in ("queued", "running"):
            return ()
        said = f"{message} ({item.max_attempts} attempts)"
        return await _save(
            tx, fail(job, "infrastructure", code, said, cause=item.cause.id, by=BY, at=at)
        )

    async def _trained(
        self, tx: "AsyncConnection", item: WorkItem, job: Job, finished: Finished, at: datetime
    ) -> Sequence[Event]:
        result = TrainResult.model_validate(finished.result)
        artifacts = {
            one.name: Artifact(
                object_key=_key(item, one.name), size_bytes=one.size_bytes, sha256=one.sha256
            )
            for one in result.artifacts
        }
        details = result.details.model_dump(mode="json")
        details |= {
            "chosen": result.chosen,
            "cut_short": list(result.cut_short),
            "seconds": round(finished.seconds, 3),
            "cpu_seconds": round(finished.cpu_seconds, 3),
            "peak_rss_bytes": finished.peak_rss_bytes,
        }
        data = JobTrained(
            job_id=job.id,
            attempt=item.attempt,
            kind=job.kind,
            dataset_id=job.dataset_id,
            dataset_version=item.payload["dataset_version"],
            target=job.target,
            model=job.model,
            task=result.task,
            metrics=result.metrics,
            baseline=result.baseline,
            details=details,
            plan=result.plan.model_dump(mode="json"),
            artifacts=artifacts,
            reason="fitted and measured",
        )
        events = await _save(tx, self._step(job, item, "finalizing", data, at))
        billed = await self.ledger(
            tx,
            events[0].cause,
            record_key=f"training_seconds:{job.id}",
            meter="training_seconds",
            quantity=Decimal(str(round(finished.seconds, 3))),
            subject=str(job.id),
            at=at,
        )
        return [*events, *billed]

    def _step(
        self,
        job: Job,
        item: WorkItem,
        to: Any,
        data: JobStarted | JobProgressed | JobTrained,
        at: datetime,
        **changes: Any,
    ) -> Moved:
        # The attempt's token and the job's version: the same step again gives the same id.
        ordinal = f"{item.token}/{job.version}"
        return move(job, to, data, cause=item.cause.id, by=BY, at=at, ordinal=ordinal, **changes)


async def _lock(tx: "AsyncConnection", item: WorkItem) -> Job | None:
    key: tuple[UUID, UUID] = (item.tenant, item.subject)
    return (await jobs.lock(tx, [key])).get(key)


async def _save(tx: "AsyncConnection", moved: Moved) -> list[Event]:
    await jobs.save(tx, moved.job)
    return [moved.event]


def _key(item: WorkItem, name: str) -> str:
    return f"tenants/{item.tenant}/jobs/{item.subject}/attempts/{item.attempt}-{item.token}/{name}"
