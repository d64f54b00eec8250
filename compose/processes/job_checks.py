"""What the API asks of the owners of jobs and models: before it accepts a command about a job,
and of webhooks.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.finalization import store as models
from consumers.ingest.mapping import job_of
from consumers.jobs import store as jobs
from consumers.jobs.job import TRANSITIONS
from producers.api.jobs.http import EndedAs, TaskOf
from schemas.models import ModelTask
from schemas.ports import TenantTransactions


def job_checks(transactions: TenantTransactions) -> tuple[EndedAs, TaskOf]:
    """The state in which a job has ended, and what a model predicts."""

    async def ended_as(tenant: UUID, job_id: UUID) -> str | None:
        async with transactions(tenant) as tx:
            state = await jobs.state_of(tx, job_id)
        return state if state is not None and not TRANSITIONS[state] else None

    async def model_task(tenant: UUID, name: str) -> ModelTask | None:
        async with transactions(tenant) as tx:
            return (await models.tasks_of(tx, [(tenant, name)])).get((tenant, name))

    return ended_as, model_task


async def jobs_of(tx: AsyncConnection, events: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """The jobs of the tenant that webhooks started, by the webhooks' events."""
    wanted = {job_of(event): event for event in events}
    return {wanted[job]: job for job in await jobs.existing(tx, list(wanted))}
