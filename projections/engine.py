"""The loop body of every projection: a delivery in, folded and committed together with its positions."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from projections.ports import Counted, Park, Passing, Positions, Reached, Transactions, View, nothing, uncounted
from schemas.decode import read
from schemas.event import Event, FromNewer, Undecodable
from schemas.record import Delivery, Record, Span

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """Folds one generation of one view. It writes rows and never events: a rebuild must not bill or notify again."""

    view: View
    generation: int
    begin: Transactions
    positions: Positions
    park: Park
    passing: Passing
    topic_prefix: str = ""
    reached: Reached = nothing
    counted: Counted = uncounted

    async def __call__(self, delivery: Delivery) -> bool:
        """Apply a delivery; True when it stands, False when the positions are elsewhere (seek again).

        Raises what is transient. A record that cannot be folded is parked alone; the view is then mended by a rebuild.
        """
        try:
            return await self._once(delivery.records, delivery.spans)
        except Exception as error:
            if self.passing(error):
                raise
            log.exception("%s: a batch of %d failed; one by one", self.view.name, len(delivery.records))
        return await self._one_by_one(delivery)

    async def _one_by_one(self, delivery: Delivery) -> bool:
        for span in delivery.spans:
            start = span.start
            own = [one for one in delivery.records if (one.topic, one.partition) == (span.topic, span.partition)]
            for place, record in enumerate(own):
                end = span.next if place == len(own) - 1 else record.offset + 1
                alone = [Span(span.topic, span.partition, start, end)]
                try:
                    stands = await self._once([record], alone)
                except Exception as error:
                    if self.passing(error):
                        raise
                    stands = await self._once([record], alone, failed=f"{type(error).__name__}: {error}")
                if not stands:
                    return False
                start = end
        return True

    async def _once(self, records: Sequence[Record], spans: Sequence[Span], failed: str | None = None) -> bool:
        async with self.begin() as tx:
            standing = await self.positions.standing(tx, spans)
            if standing.name != "HERE":
                return standing.name == "PASSED"
            events: list[Event] = []
            letters: Counter[str] = Counter()
            for record in records:
                try:
                    event = read(record, self.topic_prefix)
                except FromNewer as error:
                    if error.kind in self.view.wanted:
                        await self.park(tx, self.view.name, record, None, "unknown_version", str(error))
                        letters["unknown_version"] += 1
                    continue
                except Undecodable as error:
                    await self.park(tx, self.view.name, record, None, "undecodable", str(error))
                    letters["undecodable"] += 1
                    continue
                if event.type not in self.view.wanted:
                    continue
                if failed is not None:
                    await self.park(tx, self.view.name, record, event, "bug", failed)
                    letters["bug"] += 1
                    continue
                events.append(event)
            if events:
                await self.view.apply(tx, self.generation, events)
            await self.positions.advance(tx, spans)
            self.reached("engine.folded")
        self.reached("engine.committed")
        self.counted(+Counter({"applied": len(events), "dead_letter": letters.total()}), letters)
        return True
