"""What aiokafka calls when the group shares its partitions out again."""

from collections.abc import Awaitable, Callable, Collection

from aiokafka import ConsumerRebalanceListener, TopicPartition


class RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Turns aiokafka's two callbacks over to the subscription.

    What they raise aiokafka only logs.
    """

    def __init__(
        self, revoked: Callable[[], Awaitable[None]], assigned: Callable[[], None]
    ) -> None:
        self._on_revoked, self._on_assigned = revoked, assigned

    async def on_partitions_revoked(self, _revoked: Collection[TopicPartition]) -> None:
        """Before the group shares the partitions out again."""
        await self._on_revoked()

    async def on_partitions_assigned(self, _assigned: Collection[TopicPartition]) -> None:
        """Begin to read the positions of the new partitions."""
        self._on_assigned()
