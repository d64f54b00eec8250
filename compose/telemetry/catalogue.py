"""Every metric as data.

The table in docs/operations.md says what each one tells, and a test compares the two.
"""

from dataclasses import dataclass
from typing import Literal

CONSUMER = "headrace.consumer"
OUTCOME = "headrace.outcome"
QUEUE = "headrace.queue"
STATE = "headrace.state"
TENANT = "headrace.tenant"
ELECTION = "headrace.office"
ERROR = "error.type"
TOPIC = "messaging.destination.name"
PARTITION = "messaging.destination.partition.id"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One instrument; its unit as UCUM has it."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    what: str
    attributes: tuple[str, ...] = ()


WEBHOOKS = Metric(
    "headrace.webhooks", "counter", "{webhook}", "Webhooks by what became of them.", (OUTCOME,)
)
DURATIONS = Metric(
    "headrace.webhook.duration",
    "histogram",
    "s",
    "From a webhook's head to its answer; a sample while they are many.",
    (OUTCOME,),
)
CONSUMED = Metric(
    "headrace.consumer.events",
    "counter",
    "{event}",
    "Events by what became of them, counted once committed.",
    (CONSUMER, OUTCOME),
)
PARKED = Metric(
    "headrace.consumer.dead_letters",
    "counter",
    "{event}",
    "Events that became dead letters.",
    (CONSUMER, ERROR),
)

REPLAYED = Metric(
    "headrace.replay.messages",
    "counter",
    "{message}",
    "Messages of replays by what became of them.",
    (CONSUMER, OUTCOME),
)
REBALANCES = Metric(
    "headrace.consumer.rebalances",
    "counter",
    "{rebalance}",
    "Assignments of partitions.",
    (CONSUMER,),
)
TAKEOVERS = Metric(
    "headrace.work.lease.takeovers",
    "counter",
    "{lease}",
    "Work items claimed after another worker's lease ran out.",
    (QUEUE,),
)
LEASES_LOST = Metric(
    "headrace.work.lease.losses",
    "counter",
    "{lease}",
    "Leases that this worker lost; their results are thrown away.",
    (QUEUE,),
)
SENT = Metric("headrace.relay.records", "counter", "{record}", "Records that Kafka confirmed.")
UNCONFIRMED = Metric(
    "headrace.relay.unconfirmed", "counter", "{round}", "Rounds that Kafka did not confirm."
)
ELECTIONS = Metric(
    "headrace.office.elections",
    "counter",
    "{election}",
    "Elections that this process won.",
    (ELECTION,),
)

LAG = Metric(
    "headrace.consumer.lag",
    "gauge",
    "{event}",
    "Records of a partition that are not consumed.",
    (CONSUMER, TOPIC, PARTITION),
)
TENANT_LAG = Metric(
    "headrace.consumer.tenant.lag",
    "gauge",
    "{event}",
    "The same by tenant: the largest, the others together.",
    (CONSUMER, TENANT),
)
OLDEST = Metric(
    "headrace.consumer.oldest.age",
    "gauge",
    "s",
    "The age of the oldest event that is not consumed.",
    (CONSUMER,),
)
PROGRESS = Metric(
    "headrace.consumer.progress.age", "gauge", "s", "Since a position last moved.", (CONSUMER,)
)
PAUSED = Metric(
    "headrace.consumer.paused", "gauge", "1", "1 while a consumer is paused.", (CONSUMER,)
)
LETTERS = Metric(
    "headrace.dead_letters",
    "gauge",
    "{event}",
    "Dead letters that are neither applied nor discarded.",
    (CONSUMER, ERROR),
)
LETTERS_AGE = Metric(
    "headrace.dead_letters.age", "gauge", "s", "The age of the oldest of them.", (CONSUMER, ERROR)
)
REPLAYS = Metric("headrace.replay.open", "gauge", "{replay}", "Replays that are not over.")
REPLAYS_WAITING = Metric(
    "headrace.replay.waiting",
    "gauge",
    "{message}",
    "Messages of replays that are not taken up yet.",
    (CONSUMER,),
)
OUTBOX_RECORDS = Metric(
    "headrace.outbox.records", "gauge", "{record}", "Records that wait for Kafka."
)
OUTBOX_BYTES = Metric("headrace.outbox.size", "gauge", "By", "Their bytes.")
OUTBOX_AGE = Metric("headrace.outbox.age", "gauge", "s", "The age of the oldest of them.")
HELD = Metric("headrace.topic.held", "gauge", "1", "1 while the relay suspends a topic.", (TOPIC,))
STOPPED = Metric(
    "headrace.topic.stopped", "gauge", "1", "1 while the relay cannot send to a topic.", (TOPIC,)
)
REFUSED = Metric("headrace.outbox.refused", "gauge", "{record}", "Records that Kafka refuses.")
WORK = Metric(
    "headrace.work.pieces", "gauge", "{piece}", "Work items that are not done.", (QUEUE, STATE)
)
WORK_AGE = Metric(
    "headrace.work.oldest.age", "gauge", "s", "The age of the oldest ready work item.", (QUEUE,)
)

METRICS: tuple[Metric, ...] = (
    WEBHOOKS,
    DURATIONS,
    CONSUMED,
    PARKED,
    REPLAYED,
    REBALANCES,
    TAKEOVERS,
    LEASES_LOST,
    SENT,
    UNCONFIRMED,
    ELECTIONS,
    LAG,
    TENANT_LAG,
    OLDEST,
    PROGRESS,
    PAUSED,
    LETTERS,
    LETTERS_AGE,
    OUTBOX_RECORDS,
    OUTBOX_BYTES,
    OUTBOX_AGE,
    HELD,
    STOPPED,
    REFUSED,
    WORK,
    WORK_AGE,
    REPLAYS,
    REPLAYS_WAITING,
)
