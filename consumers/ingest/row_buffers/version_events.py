"""The events of a version that was made from a batch: the dataset, and its training."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from consumers.ingest.dataset import BY
from consumers.ingest.row_buffers.stream import Batch
from consumers.work.child_result import Finished
from consumers.work.work_item import WorkItem
from schemas.datasets import DatasetSubmitted, Reading
from schemas.event import Event, following
from schemas.ids import derived
from schemas.jobs import JobRequested


def version_events(batch: Batch, key: str, result: Finished, at: datetime) -> list[Event]:
    """The submitted version and its training; ids come from the batch: the same step again gives
    the same.
    """
    submitted = DatasetSubmitted(
        dataset_id=batch.dataset_id,
        name=batch.dataset,
        object_key=key,
        size_bytes=result.result["size_bytes"],
        sha256=result.result["sha256"],
        content_type="text/csv",
        reading=_reading(result.result["texts"]),
    )
    event = following(
        batch.cause, submitted, by=BY, subject=str(batch.dataset_id), version=0, at=at
    )
    return [event, *training_request(batch, event, at)]


def _reading(texts: Sequence[str] | None) -> Reading | None:
    """A text stays a text, whatever it looks like; None where a form's fields are among the
    rows.
    """
    return (
        None if texts is None else Reading(types=dict.fromkeys(texts, "text") or None, typed=True)
    )


def training_request(batch: Batch, cause: Event, at: datetime) -> list[Event]:
    """The job that trains on the version, where the stream asks for one."""
    if batch.train is None:
        return []
    asked = JobRequested(
        job_id=derived(batch.id, "job"),
        kind="train",
        dataset_id=batch.dataset_id,
        target=batch.train["target"],
        model=batch.train["model"],
        options=batch.train["options"],
        origin="rows",
        mapping_version=batch.mapping_version,
    )
    return [following(cause.cause, asked, by=BY, subject=str(asked.job_id), version=0, at=at)]


def object_key(item: WorkItem) -> str:
    """Where an attempt puts the version's file."""
    dataset_id = derived(UUID(item.payload["batch_id"]), "dataset")
    return f"tenants/{item.tenant}/datasets/{dataset_id}/attempts/{item.id}-{item.token}/data.csv"
