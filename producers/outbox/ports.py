"""What the outbox needs of the world."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.event import Headers

Place = tuple[str, int]
"""A topic, as Kafka names it, and a partition."""


Relayed = Callable[[int | None], None]
"""Called with the number of records that a round sent; None when Kafka did not confirm it."""


def untold(_records: int | None) -> None:
    """Count nothing, where nobody measures."""


class Statements(Protocol):
    """One database connection of the pipeline's role."""

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """Run one statement and return its rows."""

    async def execute(self, query: str, *args: Any) -> str:
        """Run one statement and return its command tag."""


class Session(Statements, Protocol):
    """One that can begin transactions."""

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """Begin one; it commits when the block ends well."""


class Connections(Protocol):
    """A pool of them."""

    def acquire(self) -> AbstractAsyncContextManager[Statements]:
        """Borrow a connection for the block."""


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
class RecordRefused:
    """What Kafka will not have: nothing of it is in the log, and the same again is refused again.

    A record alone (`seq`), or whatever is sent to the topic (`seq` is None).
    """

    topic: str
    seq: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the records of a round; the rest of it was not sent.

    `reused` is what Kafka confirmed at offsets that it had confirmed before, by our topic's name.
    """

    confirmed: tuple[Confirmed, ...] = ()
    refused: tuple[RecordRefused, ...] = ()
    reused: tuple[tuple[str, Confirmed], ...] = ()


class NotConfirmed(Exception):
    """Kafka did not say that it has all records: some may be there, some may still come.

    `sent` is what it did say, of the same round; of each topic in `unanswered` there is a partition
    of which it said nothing, of each in `leaderless` one that has no leader. `slow`: the time for
    the round had run out.
    """

    def __init__(
        self,
        message: str,
        sent: Sent = Sent(),
        *,
        slow: bool = False,
        unanswered: frozenset[str] = frozenset(),
        leaderless: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(message)
        self.sent, self.slow = sent, slow
        self.unanswered, self.leaderless = unanswered, leaderless


class NotOurs(NotConfirmed):
    """Another Kafka answers: nothing was sent to it, and an operator decides."""


class Regrown(Exception):
    """A topic has other partitions than its keys are spread over; nothing of the round was sent."""

    def __init__(self, topic: str, known: int, found: int) -> None:
        super().__init__(f"{topic} has {found} partitions, and its keys are spread over {known}")
        self.topic, self.known, self.found = topic, known, found


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to send; its partition is chosen by its key, its time is that of sending."""

    seq: int
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class Log(Protocol):
    """Kafka, as the relay sees it."""

    async def send(self, records: Sequence[Outgoing]) -> Sent:
        """Return when it is known of every record, one partition's records in the given order.

        What follows a refused one in its partition was not sent. Raises NotConfirmed when an
        outcome is unknown, Regrown when somebody has added partitions.
        """

    async def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Return the offset after the last record of each that has a leader.

        Raises NotConfirmed.
        """

    def own_name(self, topic: str) -> str:
        """Our name of a topic, from the one that Kafka has."""

    async def restart(self) -> None:
        """Throw the producer away and make a new one: an unknown send may have poisoned it."""
