"""Everything that reads the topics from positions of its own, and can be paused: consumers and
projections.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from consumers.log.circuit_breaker.policy import BreakerLimits
from consumers.registry import CONSUMERS
from projections.jobs.view import JobsView
from projections.metric_trends.view import MetricTrendsView
from projections.ports import View
from projections.reading import consumer_of
from projections.usage.view import UsageView

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

VIEWS: dict[str, View] = {view.name: view for view in (JobsView(), MetricTrendsView(), UsageView())}
VIEW_LIMITS = BreakerLimits()
LIVE = text("SELECT live FROM projection_heads WHERE view = :view")
POSITIONS = """
    SELECT p.consumer, p.topic, p.partition, p.next, p.updated_at
    FROM positions p LEFT JOIN projection_heads h ON p.consumer = 'projection.' || h.view
    WHERE p.generation = coalesce(h.live, 0)
"""
"""The positions of every consumer, and of each projection's live generation."""


@dataclass(frozen=True, slots=True)
class ConsumerGroup:
    """One of them, under the name of its positions and its breaker."""

    name: str
    topics: Sequence[str]
    breaker: BreakerLimits


def group_of(reader: str, prefix: str = "", generation: int = 0) -> str:
    """Its group on Kafka; a projection has one for each generation, which begin at 1."""
    return f"{prefix}headrace.{reader}" + (f".{generation}" if generation else "")


async def live_generation(tx: "AsyncConnection", reader: str) -> int:
    """The generation of a projection that is read; a consumer has none but 0."""
    view = next((name for name in VIEWS if consumer_of(name) == reader), None)
    return 0 if view is None else int((await tx.execute(LIVE, {"view": view})).scalar_one())


READERS: dict[str, ConsumerGroup] = {
    one.name: one
    for one in (
        *(
            ConsumerGroup(consumer.name, consumer.topics, consumer.breaker)
            for consumer in CONSUMERS
        ),
        *(
            ConsumerGroup(consumer_of(view.name), view.topics, VIEW_LIMITS)
            for view in VIEWS.values()
        ),
    )
}
