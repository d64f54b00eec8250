"""How far a restore is, and what it has done."""

from collections.abc import Callable
from dataclasses import dataclass

from compose.kafka.restore.missing import Range


@dataclass(frozen=True)
class Progress:
    """How far it is: `done` of `total` seqs are looked at; `total` 0 where nobody can say."""

    text: str
    done: int = 0
    total: int = 0


Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Restored:
    """What was lost, what is published again, and how many positions were set.

    Nothing lost, nothing done.
    """

    reasons: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    positions: int = 0
    cluster_id: str | None = None

    @property
    def records(self) -> int:
        """How many records are published again."""
        return sum(one.records for one in self.ranges)
