"""The metric trends view."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from projections.metric_trends import store
from projections.metric_trends.fold import points
from schemas.event import Event
from schemas.models import ModelRegistered
from schemas.topics import MODELS

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class MetricTrendsView:
    """One point per model version and metric."""

    name = "metric_trends"
    topics = (MODELS.name,)
    wanted = frozenset({ModelRegistered.TYPE})

    async def apply(self, tx: "AsyncConnection", generation: int, events: Sequence[Event]) -> None:
        """Add the points of the batch."""
        await store.write(tx, generation, [point for event in events for point in points(event)])
