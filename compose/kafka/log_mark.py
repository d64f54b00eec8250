"""What is remembered of a partition's log, to tell it from another one of the same name."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Mark:
    """The marks of one partition.

    `confirmed` is the highest offset that Kafka confirmed to the relay, -1 where none is known;
    `went_back` that the relay was given offsets a second time; `last` the offset and the id of the
    event that was consumed last.
    """

    confirmed: int = -1
    went_back: bool = False
    last: tuple[int, UUID] | None = None
