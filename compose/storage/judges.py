"""Whether an object is needed, by what its owner holds: a judge for each kind of key."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.storage.unneeded import Judge, Verdict
from consumers.finalization import store as models
from consumers.ingest import store as datasets
from consumers.jobs import store as jobs
from producers.outbox import store as log
from producers.webhooks import store as webhooks
from schemas.topics import DATASETS


async def of_dataset(tx: AsyncConnection, tenant: UUID, dataset_id: UUID, key: str) -> Verdict:
    """Needed by a valid dataset, and by one that was rejected through no fault of its file.

    One that is not decided, or that ingest has not got to, is waited for.
    """
    found = await datasets.file_of(tx, tenant, dataset_id)
    if found is None:
        return (
            "undecided" if await log.has_any(tx, tenant, DATASETS.name, dataset_id) else "unneeded"
        )
    state, object_key, at_fault = found
    if object_key != key or (state == "rejected" and at_fault):
        return "unneeded"
    return "undecided" if state == "submitted" else "needed"


async def of_job(tx: AsyncConnection, tenant: UUID, job_id: UUID, key: str) -> Verdict:
    """Needed by the model version that the job registered; a job that is not over is waited for.

    Its end is asked for first: a version that is registered between the two questions is then seen
    by the second.
    """
    is_over = await jobs.is_over(tx, tenant, job_id)
    if key in await models.files_of(tx, tenant, job_id):
        return "needed"
    return "unneeded" if is_over else "undecided"


async def of_request(tx: AsyncConnection, tenant: UUID, request_id: UUID, key: str) -> Verdict:
    """Needed by its request: from then on it goes with its day."""
    return "needed" if await webhooks.body_key_of(tx, tenant, request_id) == key else "unneeded"


JUDGES: Mapping[str, Judge] = {"datasets": of_dataset, "jobs": of_job, "requests": of_request}
