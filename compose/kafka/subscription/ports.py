"""The ports of a subscription, what it may wait for, and the exceptions that end it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from compose.kafka.log_mark import Mark
from schemas.record import PartlyPaused, PollBatch

Partition = tuple[str, int]
Handle = Callable[[PollBatch], Awaitable[bool | PartlyPaused]]


class Positions(Protocol):
    """Where this subscriber is in the log, kept in its own store, not in Kafka."""

    async def read(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The next offset of each partition; one that is absent starts at the log's beginning."""

    async def marks(self, partitions: Sequence[Partition]) -> Mapping[Partition, Mark]:
        """What is remembered of the log of each; one that is absent cannot be checked."""

    async def cluster(self) -> str | None:
        """The id of the Kafka cluster the positions belong to; None when nobody remembers it."""

    async def block(self, partitions: Sequence[Partition], reason: str) -> None:
        """Note that these wait for an operator, and why."""

    async def unblock(self, partitions: Sequence[Partition]) -> None:
        """Note that these wait for nobody."""


class PauseCheck(Protocol):
    """Whether anything may be delivered at all."""

    async def opened(self) -> None:
        """Return when it may."""

    async def closed(self) -> None:
        """Return when it may not."""


class AlwaysOpen:
    """For those whom nobody pauses."""

    async def opened(self) -> None:
        """Return at once: it is never closed."""

    async def closed(self) -> None:
        """Wait until cancelled: it is never closed."""
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Timing:
    """Every duration of a subscription, in seconds."""

    session_seconds: float = (
        6.0  # silent this long: the group gives the partitions away; brokers allow no less
    )
    heartbeat_seconds: float = 1.5
    max_handle_seconds: float = (
        300.0  # max_poll_interval; a handler past it is expelled, so we give up before
    )
    rebalance_seconds: float = 30.0  # how long the group waits for members to join again
    revoke_seconds: float = (
        20.0  # how long a revocation waits for the handler; must be under rebalance_seconds
    )
    stop_seconds: float = 12.0  # how long a stop waits for the handler; then it is rolled back
    poll_seconds: float = 0.05  # one wait for a record
    metadata_seconds: float = 5.0  # how long partitions that somebody adds may go unseen
    look_up_seconds: float = 10.0  # one look-up of positions and of the log's ends
    backoff_seconds: float = 0.1  # first wait after a failure; doubles
    max_backoff_seconds: float = 10.0
    watch_seconds: float = 5.0  # the watchdog's round: commit for lag tools, range, progress
    stall_seconds: float = 60.0  # lag without progress for this long: give up
    operator_seconds: float = (
        5.0  # between two looks whether an operator has restored what was lost
    )

    def backoff(self, failures: int, jitter: Callable[[], float] = random.random) -> float:
        """How long to wait after this many failures in a row; the first is 1.

        Between half of it and all of it.
        """
        full = min(self.max_backoff_seconds, self.backoff_seconds * 2.0 ** min(failures - 1, 30))
        return full * (0.5 + 0.5 * jitter())


RESTORE = "headrace topics restore publishes again what is lost"


class NeedsOperator(RuntimeError):
    """Going on would lose or repeat records: the subscriber waits until an operator has restored
    them.

    With `is_certain` false a further look may find otherwise. `partition` is None when all are
    concerned.
    """

    is_certain = True
    partition: Partition | None = None


class OutsideLogError(NeedsOperator):
    """A position is not in the log."""

    def __init__(self, partition: Partition, position: int, begin: int, end: int) -> None:
        where = f"{partition[0]}[{partition[1]}]"
        super().__init__(
            f"restore or rebuild: position {position} of {where} is outside the log, "
            f"which starts at {begin} and ends at {end}"
        )
        self.partition = partition
        # A broker just restarted may show an old end for a moment; a log's beginning never goes
        # back.
        self.is_certain = position < begin


class LogWentBack(NeedsOperator):
    """The log is not the one that was written: it lost records that Kafka had confirmed."""

    def __init__(self, partition: Partition, why: str, *, is_certain: bool = True) -> None:
        super().__init__(f"the log of {partition[0]}[{partition[1]}] went back: {why}")
        self.partition = partition
        self.is_certain = is_certain


class AnotherClusterError(NeedsOperator):
    """The positions belong to another Kafka: the same numbers mean other records."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            f"restore or rebuild: positions belong to Kafka cluster {expected}, this one is {found}"
        )


class StalledError(RuntimeError):
    """Nothing moves though there is work: only a new process is known to help."""
