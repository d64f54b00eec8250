"""Kafka for the relay: an idempotent producer, one batch in flight per partition."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, LeaderNotAvailableError
from aiokafka.partitioner import murmur2

from compose.kafka.batches import Batches, Outcome
from compose.kafka.producer import (
    NO_LEADER,
    abandon,
    look_for_leaders,
    partitions_of,
    producer_of,
    without_leader,
)
from compose.kafka.refusals import OF_TOPICS, said
from compose.kafka.subscription import AnotherClusterError
from compose.kafka.subscription.log import require_cluster
from producers.outbox.ports import (
    NotConfirmed,
    NotOurs,
    Outgoing,
    Place,
    RecordRefused,
    Regrown,
    Sent,
)

SEND_SECONDS = 30.0
START_SECONDS = 30.0
METADATA_SECONDS = 30.0  # how long partitions that somebody adds may go unseen
ADDED_SECONDS = 5.0  # how long a broker may not know of those that were added


class KafkaLog:
    """Sends what the relay hands over; `send` returns only when all in-sync replicas have it
    all.
    """

    def __init__(
        self,
        bootstrap: str,
        topic_prefix: str = "",
        cluster_id: Callable[[], str | None] = lambda: None,
        spread: Mapping[str, int] | None = None,
        metadata_seconds: float = METADATA_SECONDS,
        confirmed: Mapping[Place, int] | None = None,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        """With `cluster_id`, no other Kafka is sent anything, though it answers at the same
        address.

        `spread` says over how many partitions a topic's keys go; without it as many as there are.
        `confirmed` is the highest offset of each that was confirmed before.
        """
        self._spread = {} if spread is None else spread
        self._batches = Batches(topic_prefix, {} if confirmed is None else confirmed)
        self._metadata_seconds = metadata_seconds
        self._send_seconds = send_seconds
        self._bootstrap = bootstrap
        self._cluster_id = cluster_id
        self._prefix = topic_prefix
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect; raises NotConfirmed while there is no Kafka, NotOurs when it is not ours."""
        producer = producer_of(self._bootstrap, self._send_seconds / 3, self._metadata_seconds)
        try:
            async with asyncio.timeout(START_SECONDS):
                await producer.start()
                await require_cluster(self._bootstrap, self._cluster_id())
        except AnotherClusterError as error:
            await abandon(producer)
            raise NotOurs(str(error)) from error
        except (TimeoutError, KafkaError, OSError) as error:
            await abandon(producer)
            raise NotConfirmed(f"kafka at {self._bootstrap} does not answer: {error}") from error
        except asyncio.CancelledError:
            await abandon(producer)
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Disconnect; what is under way is not waited for."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)

    async def restart(self) -> None:
        """A new producer: an unknown send may have poisoned the old one.

        Without Kafka the next send says so.
        """
        await self.stop()

    def own_name(self, topic: str) -> str:
        """Our name of a topic, from the one that Kafka has."""
        return topic.removeprefix(self._prefix)

    async def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        """Return the offset after the last record of each that has a leader.

        Raises NotConfirmed.
        """
        if not places:
            return {}
        try:
            producer = await self._started()
            async with asyncio.timeout(self._send_seconds):
                metadata = await producer.client.fetch_all_metadata()
                there = [
                    place
                    for place in (TopicPartition(*one) for one in places)
                    if metadata.leader_for_partition(place) not in NO_LEADER
                ]
                async with AIOKafkaConsumer(
                    bootstrap_servers=self._bootstrap, enable_auto_commit=False
                ) as consumer:
                    found = await consumer.end_offsets(there)
        except (KafkaError, OSError, TimeoutError) as error:
            raise NotConfirmed(f"{type(error).__name__}: {error}") from error
        return {(place.topic, place.partition): end for place, end in found.items()}

    async def send(self, records: Sequence[Outgoing]) -> Sent:
        """Send all.

        Raises NotConfirmed when any outcome is unknown, Regrown when a topic is not as it was.
        """
        outcome = Outcome()
        groups: dict[Place, list[Outgoing]] = {}
        leaderless: set[Place] = set()
        try:
            producer = await self._started()
            async with asyncio.timeout(self._send_seconds):
                groups = await self._by_partition(producer, records, outcome)
                leaderless = without_leader(producer, groups)
                sends = [
                    asyncio.create_task(self._batches.send(producer, place, group, outcome))
                    for place, group in groups.items()
                    if place not in leaderless
                ]
                try:
                    await asyncio.gather(*sends)
                finally:
                    for one in sends:
                        one.cancel()
                    await asyncio.gather(*sends, return_exceptions=True)
                if leaderless:
                    await look_for_leaders(producer, leaderless)
                    raise LeaderNotAvailableError(
                        f"no leader when the round began: {sorted(leaderless)}"
                    )
        except (KafkaError, OSError, TimeoutError) as error:
            raise NotConfirmed(
                f"{type(error).__name__}: {error}",
                outcome.sent(),
                slow=isinstance(error, TimeoutError),
                unanswered=self._own_names(groups.keys() - outcome.places()),
                leaderless=self._own_names(leaderless),
            ) from error
        if outcome.has_gap:
            await self.restart()
        return outcome.sent()

    def _own_names(self, places: Collection[Place]) -> frozenset[str]:
        return frozenset(self.own_name(topic) for topic, _ in places)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            await self.start()
        if self._producer is None:
            raise NotConfirmed("no producer")
        return self._producer

    async def _by_partition(
        self, producer: AIOKafkaProducer, records: Sequence[Outgoing], outcome: Outcome
    ) -> dict[Place, list[Outgoing]]:
        groups: dict[Place, list[Outgoing]] = defaultdict(list)
        counts: dict[str, int] = {}
        for record in records:
            topic = record.topic
            if topic not in counts:
                try:
                    counts[topic] = await self._partitions(producer, topic)
                except OF_TOPICS as error:
                    counts[topic] = 0
                    outcome.refused.append(RecordRefused(topic, None, said(error)))
            if counts[topic]:
                groups[self._prefix + topic, partition_of(record.key, counts[topic])].append(record)
        return groups

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        """Over how many its keys go.

        Raises Regrown when it has others, OF_TOPICS when there is none.
        """
        found = await partitions_of(producer, self._prefix + topic)
        known = self._spread.get(topic, found)
        looking = asyncio.get_running_loop().time()
        while found < known and asyncio.get_running_loop().time() - looking < ADDED_SECONDS:
            await producer.client.force_metadata_update()
            await asyncio.sleep(0.05)
            found = await partitions_of(producer, self._prefix + topic)
        if found != known:
            raise Regrown(topic, known, found)
        return known


def partition_of(key: bytes | None, partitions: int) -> int:
    """The partition of a key, as every Kafka client's default partitioner has it; 0 without a
    key.
    """
    return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % partitions
