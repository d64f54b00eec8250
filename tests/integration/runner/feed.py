"""Deliveries as a subscription hands them over, with offsets that go on from one to the next."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from schemas.event import Event
from schemas.record import PollBatch, Record, Span
from tests.factories import record_of


class Feed:
    """The log of one test: every record put into a delivery stands at the next offset of its
    partition.
    """

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = defaultdict(int)

    def deliver(self, *things: Event | Record) -> PollBatch:
        """One poll.

        An event stands in partition 0 of its topic, a record where it says, its offset apart.
        """
        start = dict(self._next)
        records = []
        for thing in things:
            record = record_of(thing) if isinstance(thing, Event) else thing
            place = (record.topic, record.partition)
            records.append(replace(record, offset=self._next[place]))
            self._next[place] += 1
        touched = sorted({(one.topic, one.partition) for one in records})
        spans = [Span(*place, start.get(place, 0), self._next[place]) for place in touched]
        return PollBatch(tuple(_by_partition(records)), tuple(spans))


def _by_partition(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda one: (one.topic, one.partition, one.offset))
