"""Everything that reads the topics from positions of its own, and can be paused: consumers and projections."""

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.breaker import Limits
from consumers.registry import CONSUMERS
from projections.jobs.view import JobsView
from projections.metric_trends.view import MetricTrendsView
from projections.ports import View
from projections.reading import consumer_of
from projections.usage.view import UsageView

VIEWS: dict[str, View] = {view.name: view for view in (JobsView(), MetricTrendsView(), UsageView())}
VIEW_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Reader:
    """One of them, under the name of its positions and its breaker."""

    name: str
    topics: Sequence[str]
    breaker: Limits


def group_of(reader: str, prefix: str = "", generation: int = 0) -> str:
    """Its group on Kafka; a projection has one for each generation, which begin at 1."""
    return f"{prefix}headrace.{reader}" + (f".{generation}" if generation else "")


READERS: dict[str, Reader] = {
    one.name: one
    for one in (
        *(Reader(consumer.name, consumer.topics, consumer.breaker) for consumer in CONSUMERS),
        *(Reader(consumer_of(view.name), view.topics, VIEW_LIMITS) for view in VIEWS.values()),
    )
}
