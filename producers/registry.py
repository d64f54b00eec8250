"""The map as data: everything that accepts something from outside, and the events that it makes
of it.
"""

from dataclasses import dataclass

from schemas import datasets, jobs, webhooks
from schemas.payload import Payload


@dataclass(frozen=True, slots=True)
class Producer:
    """A way in which events are accepted, and the types it emits."""

    name: str
    emits: tuple[type[Payload], ...]
    does: str


PRODUCERS: tuple[Producer, ...] = (
    Producer(
        "webhooks", (webhooks.WebhookReceived,), "verify the delivery, store it once, answer 202"
    ),
    Producer(
        "api",
        (datasets.DatasetSubmitted, jobs.JobRequested, jobs.JobCancelRequested),
        "check the command, store it, answer 202",
    ),
)
