"""A delivery record by record: what the guilty one holds up is its own partition."""

from collections.abc import Awaitable, Callable, Sequence

from schemas.record import PartlyPaused, PausedPartition, Record, Span, event_id_of


async def one_by_one(
    records: Sequence[Record],
    spans: Sequence[Span],
    handle: Callable[[Record, Span], Awaitable[bool | float]],
) -> bool | PartlyPaused:
    """Handle records one by one: True, False for a position that has changed, or what waits, and
    how long.

    A bug pauses its own partition only: order is promised within a key, and a key has one
    partition.
    """
    holds: list[PausedPartition] = []
    for span in spans:
        start = span.start
        own = [one for one in records if (one.topic, one.partition) == (span.topic, span.partition)]
        for place, record in enumerate(own):
            end = span.next if place == len(own) - 1 else record.offset + 1
            own_span = Span(span.topic, span.partition, start, end, event_id_of(record.headers))
            became = await handle(record, own_span)
            if became is False:
                return False
            if became is not True:
                holds.append(PausedPartition(span.topic, span.partition, start, became))
                break
            start = end
    return PartlyPaused(tuple(holds)) if holds else True
