"""The map as data: every consumer, what it reads and what it says."""

from dataclasses import dataclass

from consumers.log.circuit_breaker.policy import BreakerLimits
from schemas import datasets, jobs, models, usage, webhooks
from schemas.payload import Payload
from schemas.topics import TOPIC_OF

Types = tuple[type[Payload], ...]


@dataclass(frozen=True, slots=True)
class Consumer:
    """One consumer: its events, what it may emit, its workers' queues, what it does, and how
    much may fail.
    """

    name: str
    reads: Types
    emits: Types
    queues: tuple[str, ...] = ()
    batch: int = 200
    does: str = ""
    breaker: BreakerLimits = BreakerLimits()  # noqa: RUF009  # frozen

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that its events stand on, each once."""
        return tuple(sorted({TOPIC_OF[payload.TYPE] for payload in self.reads}))

    @property
    def wanted(self) -> frozenset[str]:
        """The types that it acts on."""
        return frozenset(payload.TYPE for payload in self.reads)


INGEST = Consumer(
    "ingest",
    reads=(
        webhooks.WebhookReceived,
        datasets.DatasetSubmitted,
        jobs.JobRequested,
        jobs.JobCancelRequested,
    ),
    emits=(
        jobs.JobRequested,
        jobs.JobQueued,
        jobs.JobFailed,
        jobs.JobCanceled,
        datasets.DatasetSubmitted,
        datasets.DatasetValidated,
        datasets.DatasetRejected,
        usage.UsageRecorded,
    ),
    queues=("validation", "sealing"),
    batch=500,
    does="map the payload to a command or to rows, validate the dataset, admit the job",
)
TRAINING = Consumer(
    "training",
    reads=(jobs.JobQueued,),
    emits=(
        jobs.JobStarted,
        jobs.JobProgressed,
        jobs.JobTrained,
        jobs.JobFailed,
        jobs.JobCanceled,
        jobs.JobExpired,
        usage.UsageRecorded,
    ),
    queues=("training",),
    does="fit and measure, in a child process under a lease",
)
FINALIZATION = Consumer(
    "finalization",
    reads=(jobs.JobTrained,),
    emits=(models.ModelRegistered, jobs.JobSucceeded, usage.UsageRecorded),
    does="register the model, close the job",
)
BILLING = Consumer(
    "billing",
    reads=(webhooks.WebhookReceived,),
    emits=(usage.UsageRecorded,),
    batch=500,
    does="keep the ledger",
)

CONSUMERS: tuple[Consumer, ...] = (INGEST, TRAINING, FINALIZATION, BILLING)
BY_NAME = {consumer.name: consumer for consumer in CONSUMERS}
