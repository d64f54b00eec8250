"""Every metric as data; the table in docs/operations.md says what each one tells, and a test compares the two."""

from dataclasses import dataclass
from typing import Literal

CONSUMER = "headrace.consumer"
OUTCOME = "headrace.outcome"
QUEUE = "headrace.queue"
TENANT = "headrace.tenant"
OFFICE = "headrace.office"
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
    "headrace.webhook.duration", "histogram", "s", "From a webhook's head to its answer; its count is webhooks.",
    (OUTCOME,),
)  # fmt: skip
CONSUMED = Metric(
    "headrace.consumer.events", "counter", "{event}", "Events by what became of them, counted once committed.",
    (CONSUMER, OUTCOME),
)  # fmt: skip
PARKED = Metric(
    "headrace.consumer.dead_letters", "counter", "{event}", "Events that became dead letters.", (CONSUMER, ERROR)
)

METRICS: tuple[Metric, ...] = (WEBHOOKS, CONSUMED, PARKED)
