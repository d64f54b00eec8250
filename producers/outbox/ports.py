"""What the outbox needs of the world."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.event import Headers

Reached = Callable[[str], None]
"""Told the name of a step when it is reached: there a test can have the process killed."""


def nothing(_step: str) -> None:
    """What a step leads to outside of tests."""


Relayed = Callable[[int | None], None]
"""Told how many records a round sent; None when Kafka did not confirm it."""


def untold(_records: int | None) -> None:
    """Where nobody counts."""


class Statements(Protocol):
    """One database connection of the pipeline's role."""

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """Run one statement and return its rows."""

    async def execute(self, query: str, *args: Any) -> str:
        """Run one statement and return its command tag."""


class Connections(Protocol):
    """A pool of them."""

    def acquire(self) -> AbstractAsyncContextManager[Statements]:
        """Borrow one."""


class Unavailable(Exception):
    """The database cannot say that it is stored; the sender must try again."""


class NotStorable(Exception):
    """The database refuses this content, whenever it is tried."""


class TooLarge(NotStorable):
    """The record would be larger than any may be; no statement was tried."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A batch that all in-sync replicas have; `offset` is its last record's, None when unknown.

    The topic is named as Kafka names it.
    """

    topic: str
    partition: int
    seqs: tuple[int, ...]
    offset: int | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the records of a round."""

    confirmed: tuple[Confirmed, ...] = ()


class NotConfirmed(Exception):
    """Kafka did not say that it has all records: some may be there, some may still come.

    `sent` is what it did say, of the same round; `slow` that the time for it had run out.
    """

    def __init__(self, message: str, sent: Sent = Sent(), *, slow: bool = False) -> None:
        super().__init__(message)
        self.sent, self.slow = sent, slow


class Regrown(Exception):
    """A topic has other partitions than its keys are spread over; nothing of the round was sent."""

    def __init__(self, topic: str, known: int, found: int) -> None:
        super().__init__(f"{topic} has {found} partitions, and its keys are spread over {known}")
        self.topic, self.known, self.found = topic, known, found


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to send; `partition` is chosen by its key."""

    seq: int
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    time_ms: int


class Log(Protocol):
    """Kafka, as the relay sees it."""

    async def send(self, records: Sequence[Outgoing]) -> Sent:
        """Return when every record is acknowledged by all replicas, one partition's records in the given order.

        Raises NotConfirmed when an outcome is unknown, Regrown when somebody has added partitions.
        """

    async def restart(self) -> None:
        """Throw the producer away and make a new one: an unknown send may have poisoned it."""
