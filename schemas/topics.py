"""The topics as data: the events of each, how it is split and how long it is kept."""

from dataclasses import dataclass
from datetime import timedelta

from schemas import datasets, jobs, models, usage, webhooks
from schemas.payload import Payload

MOST_RECORD_BYTES = (1 << 20) + (64 << 10)
"""The largest batch of records that a topic takes."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: an aggregate's events, keyed so that one key's events stay in order."""

    name: str
    events: tuple[type[Payload], ...]
    key: str
    partitions: int
    retention: timedelta

    @property
    def retention_ms(self) -> int:
        """How long Kafka keeps a record."""
        return int(self.retention.total_seconds() * 1000)


WEBHOOKS = Topic(
    "headrace.webhooks", (webhooks.WebhookReceived,), "tenant:source", 6, timedelta(days=7)
)
DATASETS = Topic(
    "headrace.datasets",
    (
        datasets.DatasetSubmitted,
        datasets.DatasetValidated,
        datasets.DatasetRejected,
        datasets.DatasetExpired,
    ),
    "tenant:dataset",
    6,
    timedelta(days=30),
)
JOBS = Topic(
    "headrace.jobs",
    (
        jobs.JobRequested,
        jobs.JobCancelRequested,
        jobs.JobQueued,
        jobs.JobStarted,
        jobs.JobProgressed,
        jobs.JobTrained,
        jobs.JobSucceeded,
        jobs.JobFailed,
        jobs.JobCanceled,
        jobs.JobExpired,
    ),
    "tenant:job",
    6,
    timedelta(days=30),
)
MODELS = Topic("headrace.models", (models.ModelRegistered,), "tenant:model", 6, timedelta(days=30))
USAGE = Topic("headrace.usage", (usage.UsageRecorded,), "tenant:meter", 6, timedelta(days=30))
DEAD_LETTERS = Topic("headrace.dead-letters", (), "as it was", 1, timedelta(days=30))

TOPICS: tuple[Topic, ...] = (WEBHOOKS, DATASETS, JOBS, MODELS, USAGE, DEAD_LETTERS)
PAYLOADS: dict[str, type[Payload]] = {
    payload.TYPE: payload for topic in TOPICS for payload in topic.events
}
TOPIC_OF: dict[str, str] = {
    payload.TYPE: topic.name for topic in TOPICS for payload in topic.events
}
