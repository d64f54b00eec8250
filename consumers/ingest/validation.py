"""Validation of a data set by a child, and what it decides for the jobs that wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from consumers.ingest import store
from consumers.ingest.dataset import INTERNAL, Dataset, refused_by, rejected, validated
from consumers.ingest.decide import settle
from consumers.ingest.handler import VALIDATION
from consumers.ingest.protocol import ValidateRequest, ValidationResult
from consumers.jobs import store as jobs
from consumers.ports import Ledger, Objects
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
from schemas.datasets import Finding, Reading
from schemas.event import Event

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class Validation:
    """The task of the queue `validation`."""

    objects: Objects
    ledger: Ledger
    limits: ResourceLimits
    queue: str = VALIDATION

    async def start(
        self, tx: "AsyncConnection", item: WorkItem, at: datetime
    ) -> tuple[bool, Sequence[Event]]:
        """Nothing is said of it; a decided data set needs no second look."""
        known = await store.lock(tx, [(item.tenant, item.subject)])
        dataset = known.get((item.tenant, item.subject))
        return dataset is not None and dataset.state == "submitted", ()

    async def prepare(self, item: WorkItem, directory: Path) -> tuple[ChildRequest, ResourceLimits]:
        """The file, beside the child."""
        path = directory / "data.csv"
        await self.objects.fetch(item.payload["object_key"], path)
        said = item.payload.get("reading")
        request = ValidateRequest(
            path=str(path),
            reading=said or Reading(),
            is_remembered=item.payload.get("is_remembered", False),
        )
        return ChildRequest("validate", request.model_dump(mode="json"), directory), self.limits

    async def progress(
        self, tx: "AsyncConnection", item: WorkItem, progress: Progress, at: datetime
    ) -> Sequence[Event]:
        """Not worth an event."""
        return ()

    async def deliver(self, item: WorkItem, directory: Path, result: ChildResult) -> None:
        """It leaves no file."""

    async def finish(
        self, tx: "AsyncConnection", item: WorkItem, result: ChildResult, at: datetime
    ) -> Sequence[Event]:
        """Decide the data set, bill its rows, and settle the jobs that wait."""
        dataset = (await store.lock(tx, [(item.tenant, item.subject)]))[item.tenant, item.subject]
        if dataset.state != "submitted":
            return ()
        match result:
            case Finished():
                outcome = ValidationResult.model_validate(result.result)
                if outcome.valid:
                    return await self._accept(tx, item, dataset, outcome, at)
                reason, findings = refused_by(outcome)
            case TenantRefused(_, code, message):
                reason, findings = message, (_finding(code, message),)
            case LimitExceeded(code, message):
                reason, findings = message, (_finding(code, message),)
            case Broken() | Crashed() | Canceled():
                reason = "validation broke down on this file; the operators can see why"
                findings = (_finding(INTERNAL, reason),)
        return await self._reject(tx, item, dataset, reason, findings, at)

    async def give_up(
        self, tx: "AsyncConnection", item: WorkItem, code: str, message: str, at: datetime
    ) -> Sequence[Event]:
        """Every attempt was lost: the file cannot be used, and that is no fault of the file."""
        dataset = (await store.lock(tx, [(item.tenant, item.subject)]))[item.tenant, item.subject]
        if dataset.state != "submitted":
            return ()
        return await self._reject(
            tx, item, dataset, f"validation failed: {message}", (_finding(code, message),), at
        )

    async def _accept(
        self,
        tx: "AsyncConnection",
        item: WorkItem,
        dataset: Dataset,
        result: ValidationResult,
        at: datetime,
    ) -> Sequence[Event]:
        version = await store.version_for(tx, dataset, result.reader)
        after, event = validated(dataset, result, version, cause=item.cause, at=at)
        await store.save(tx, after)
        settled = await self._settle(tx, after, event, at)
        billed = await self.ledger(
            tx,
            event.cause,
            record_key=f"dataset_rows:{after.id}",
            meter="dataset_rows",
            quantity=Decimal(result.rows),
            subject=str(after.id),
            at=at,
        )
        return [event, *settled, *billed]

    async def _reject(
        self,
        tx: "AsyncConnection",
        item: WorkItem,
        dataset: Dataset,
        reason: str,
        findings: tuple[Finding, ...],
        at: datetime,
    ) -> Sequence[Event]:
        after, event = rejected(dataset, reason, findings, cause=item.cause, at=at)
        await store.save(tx, after)
        return [event, *await self._settle(tx, after, event, at)]

    async def _settle(
        self, tx: "AsyncConnection", dataset: Dataset, event: Event, at: datetime
    ) -> list[Event]:
        events = []
        for job in await jobs.lock_waiting(tx, dataset.tenant, dataset.id):
            moved = settle(job, dataset, event, at)
            if moved is not None:
                await jobs.save(tx, moved.job)
                events.append(moved.event)
        return events


def _finding(rule: str, message: str) -> Finding:
    return Finding(rule=rule, severity="error", message=message)
