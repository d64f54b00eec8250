"""A view's engine on the test's database, and events as their owners say them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.consumer_groups import READERS, VIEWS
from compose.failures import is_transient
from compose.postgres.positions import Positions
from compose.processes.projections import park
from consumers.log.circuit_breaker.state import CircuitBreaker
from consumers.log.poison.guard import Guard
from consumers.log.poison.store import Subscriber
from projections.engine import Engine
from projections.ports import View
from projections.reading import consumer_of
from schemas.event import Event, following
from schemas.jobs import JobCanceled, JobQueued, JobRequested, JobStarted
from schemas.models import ModelRegistered
from schemas.payload import Payload
from schemas.ports import Transactions
from schemas.usage import UsageRecorded
from tests.factories import door_event, new_id


@dataclass(frozen=True)
class Bench:
    """One database."""

    pipeline: AsyncEngine

    def engine(
        self,
        view: str,
        generation: int = 1,
        begin: Transactions | None = None,
        as_view: View | None = None,
    ) -> Engine:
        """As in the projections process."""
        name = consumer_of(view)
        return Engine(
            as_view or VIEWS[view],
            generation,
            begin or self.pipeline.begin,
            Positions(self.pipeline, name, generation),
            park,
            is_transient,
            CircuitBreaker(name, READERS[name].breaker),
            Guard(Subscriber(name, generation), begin or self.pipeline.begin, asyncio.Lock()),
        )

    async def ask(self, query: str, **given: Any) -> list[dict[str, Any]]:
        """Rows."""
        async with self.pipeline.begin() as tx:
            return [dict(row) for row in (await tx.execute(text(query), given)).mappings()]

    async def value(self, query: str, **given: Any) -> Any:
        """The first column of the first row."""
        async with self.pipeline.begin() as tx:
            return (await tx.execute(text(query), given)).scalar_one_or_none()

    async def rows(self, view: str, generation: int = 1) -> list[dict[str, Any]]:
        """All that a view holds."""
        tables = {
            "jobs": ("read_jobs", "read_job_timeline"),
            "metric_trends": ("read_metric_points",),
            "usage": ("read_usage_days", "read_usage_records"),
        }[view]
        found = []
        for table in tables:
            given = await self.ask(f"SELECT * FROM {table} WHERE generation = :g", g=generation)
            found += sorted(({**row, "generation": 0} for row in given), key=str)
        return found


@dataclass(frozen=True)
class Crash:
    """A view that breaks after its rows are written, before the commit."""

    view: View
    error: type[BaseException]

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def topics(self) -> tuple[str, ...]:
        return self.view.topics

    @property
    def wanted(self) -> frozenset[str]:
        return self.view.wanted

    async def apply(self, tx: AsyncConnection, generation: int, events: Sequence[Event]) -> None:
        await self.view.apply(tx, generation, events)
        raise self.error


def owned(tenant: UUID, data: Payload, subject: object, version: int) -> Event:
    """What an owner says."""
    cause = door_event(JobCanceled(job_id=new_id(), reason="x"), "x", tenant).cause
    return following(
        cause, data, by="test", subject=str(subject), version=version, at=datetime.now(UTC)
    )


def job_events(tenant: UUID, job_id: UUID, starts: int = 2) -> list[Event]:
    """Requested, queued, started some times, canceled."""
    asked = JobRequested(job_id=job_id, kind="train", dataset_id=new_id(), target="t", model="wine")
    ready = JobQueued(
        job_id=job_id,
        kind="train",
        dataset_id=asked.dataset_id,
        dataset_version=3,
        object_key="k",
        columns=(),
        target="t",
        model="wine",
        reason="valid",
    )
    begun = [
        JobStarted(job_id=job_id, attempt=number + 1, reason="taken up") for number in range(starts)
    ]
    said = [ready, *begun, JobCanceled(job_id=job_id, reason="enough")]
    first = door_event(asked, job_id, tenant)
    return [first, *(owned(tenant, data, job_id, version) for version, data in enumerate(said, 1))]


def version_events(tenant: UUID, count: int = 3) -> list[Event]:
    """Registered versions of one model line, two metrics each."""
    return [
        owned(
            tenant,
            ModelRegistered(
                name="wine",
                version=number,
                job_id=new_id(),
                dataset_id=new_id(),
                dataset_version=1,
                target="t",
                task="classification",
                metrics={"accuracy": 0.9 + number / 100, "f1": 0.5},
                baseline={"accuracy": 0.3},
                details={},
                artifacts={},
            ),
            "wine",
            number,
        )
        for number in range(1, count + 1)
    ]


def usage_events(tenant: UUID, count: int = 3, quantity: str = "1.5") -> list[Event]:
    """Records of one meter, all of one day."""
    at = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    return [
        owned(
            tenant,
            UsageRecorded(
                record_key=f"k{number}",
                period=date(2026, 3, 1),
                meter="training_seconds",
                quantity=Decimal(quantity),
                unit="second",
                at=at,
                subject="s",
            ),
            "training_seconds",
            1,
        )
        for number in range(count)
    ]


def events_of(view: str, tenant: UUID) -> list[Event]:
    """A few events that a view folds, in their order."""
    if view == "jobs":
        return job_events(tenant, new_id())
    return version_events(tenant) if view == "metric_trends" else usage_events(tenant)
