"""A record that ends the projections process is counted before it is folded, and parked alone
after three deaths.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.consumer_groups import VIEWS
from compose.postgres.connections import engine
from compose.postgres.positions import Positions
from projections.ports import View
from projections.reading import consumer_of
from schemas.event import Event
from schemas.record import PollBatch
from tests.integration.projections.bench import Bench, events_of
from tests.integration.runner.feed import Feed
from tests.integration.runner.mortal import CONTEXT


@dataclass(frozen=True)
class Deadly:
    """A view that one event kills."""

    view: View
    killer: UUID

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def topics(self) -> tuple[str, ...]:
        return self.view.topics

    @property
    def wanted(self) -> frozenset[str]:
        return self.view.wanted

    async def apply(self, tx: AsyncConnection, generation: int, events: Sequence[Event]) -> None:
        if any(event.id == self.killer for event in events):
            os.kill(os.getpid(), signal.SIGKILL)
        await self.view.apply(tx, generation, events)


def fold(database: str, view: str, killer: UUID, delivery: PollBatch) -> None:
    """A process that folds a delivery from its position."""

    async def main() -> None:
        pipeline = engine(database, "headrace_pipeline", "mortal", pool_size=2)
        (span,) = delivery.spans
        at = await Positions(pipeline, consumer_of(view), 1).read([(span.topic, span.partition)])
        start = at.get((span.topic, span.partition), span.start)
        rest = tuple(one for one in delivery.records if one.offset >= start)
        folding = Bench(pipeline).engine(view, as_view=Deadly(VIEWS[view], killer))
        assert await folding(PollBatch(rest, (replace(span, start=start),))) is True
        await pipeline.dispose()

    asyncio.run(main())


async def test_what_kills_is_parked_and_the_rest_is_folded(bench: Bench, database: str) -> None:
    events = events_of("usage", uuid4())
    delivery = Feed().deliver(*events)
    codes = []
    for _ in range(5):
        process = CONTEXT.Process(target=fold, args=(database, "usage", events[1].id, delivery))
        process.start()
        await asyncio.to_thread(process.join, 60)
        codes.append(process.exitcode)
    assert codes == [-signal.SIGKILL] * 4 + [0]  # one unseen, three counted
    letters = await bench.ask("SELECT consumer, event_id, error_class, error FROM dead_letters")
    assert letters == [
        {
            "consumer": "projection.usage",
            "event_id": events[1].id,
            "error_class": "internal",
            "error": "the process died 3 times with this record in hand",
        }
    ]
    assert await bench.value("SELECT count(*) FROM read_usage_records") == len(events) - 1
    assert await bench.value("SELECT count(*) FROM suspect_records") == 0
