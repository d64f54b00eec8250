"""Kafka for the relay: an idempotent producer, one batch in flight per partition."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from compose.adapters.subscription import AnotherClusterError
from compose.adapters.subscription.log import require_cluster
from producers.outbox.ports import Confirmed, NotConfirmed, Outgoing, Regrown, Sent

log = logging.getLogger(__name__)

BATCH_BYTES = 1 << 20
SEND_SECONDS = 30.0
METADATA_SECONDS = 30.0  # how long partitions that somebody adds may go unseen
ADDED_SECONDS = 5.0  # how long a broker may not know of those that were added


class KafkaLog:
    """Sends what the relay hands over; `send` returns only when all in-sync replicas have it all."""

    def __init__(
        self, bootstrap: str, topic_prefix: str = "", cluster_id: str | None = None,
        spread: Mapping[str, int] | None = None, metadata_seconds: float = METADATA_SECONDS,
    ) -> None:  # fmt: skip
        """With `cluster_id`, no other Kafka is sent anything, though it answers at the same address.

        `spread` says over how many partitions a topic's keys go; without it as many as there are.
        """
        self._spread = {} if spread is None else spread
        self._metadata_ms = int(metadata_seconds * 1000)
        self._bootstrap = bootstrap
        self._cluster_id = cluster_id
        self._prefix = topic_prefix
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect; raises NotConfirmed while there is no Kafka, AnotherClusterError when it is not ours."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=BATCH_BYTES + (64 << 10),
            request_timeout_ms=10_000,
            metadata_max_age_ms=self._metadata_ms,
        )
        try:
            await producer.start()
            await require_cluster(self._bootstrap, self._cluster_id)
        except AnotherClusterError:
            await producer.stop()
            raise
        except (TimeoutError, KafkaError, OSError) as error:
            with contextlib.suppress(Exception):
                await producer.stop()
            raise NotConfirmed(f"kafka at {self._bootstrap} does not answer: {error}") from error
        self._producer = producer

    async def stop(self) -> None:
        """Disconnect; what is under way is not waited for."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(producer.stop(), 5)

    async def restart(self) -> None:
        """A new producer: an unknown send may have poisoned the old one. Without Kafka the next send says so."""
        await self.stop()

    async def send(self, records: Sequence[Outgoing]) -> Sent:
        """Send all; raises NotConfirmed when any outcome is unknown, Regrown when a topic is not as it was."""
        confirmed: list[Confirmed] = []
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if self._producer is None:
                    await self.start()
                producer = self._producer
                if producer is None:
                    raise NotConfirmed("no producer")
                groups = await self._by_partition(producer, records)
                sends = [
                    asyncio.create_task(_in_order(producer, topic, partition, group, confirmed))
                    for (topic, partition), group in groups.items()
                ]
                try:
                    await asyncio.gather(*sends)
                finally:
                    for one in sends:
                        one.cancel()
                    await asyncio.gather(*sends, return_exceptions=True)
        except (KafkaError, OSError, TimeoutError) as error:
            said = f"{type(error).__name__}: {error}"
            slow = isinstance(error, TimeoutError)
            raise NotConfirmed(said, Sent(tuple(confirmed)), slow=slow) from error
        return Sent(tuple(confirmed))

    async def _by_partition(
        self, producer: AIOKafkaProducer, records: Sequence[Outgoing]
    ) -> dict[tuple[str, int], list[Outgoing]]:
        groups: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        counts: dict[str, int] = {}
        for record in records:
            topic = self._prefix + record.topic
            if topic not in counts:
                counts[topic] = await self._partitions(producer, record.topic)
            groups[topic, partition_of(record.key, counts[topic])].append(record)
        return groups

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        """Over how many its keys go; raises Regrown when it has others."""
        found = len(await producer.partitions_for(self._prefix + topic))
        known = self._spread.get(topic, found)
        looking = asyncio.get_running_loop().time()
        while found < known and asyncio.get_running_loop().time() - looking < ADDED_SECONDS:
            await producer.client.force_metadata_update()
            await asyncio.sleep(0.05)
            found = len(await producer.partitions_for(self._prefix + topic))
        if found != known:
            raise Regrown(topic, known, found)
        return known


def partition_of(key: bytes | None, partitions: int) -> int:
    """The partition of a key, as every Kafka client's default partitioner has it; 0 without a key."""
    return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % partitions


async def _in_order(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    records: Sequence[Outgoing],
    confirmed: list[Confirmed],
) -> None:
    """Send one batch at a time: the next when the one before is acknowledged, which `confirmed` then has."""
    left = list(records)
    while left:
        batch = producer.create_batch()
        taken = 0
        for record in left:
            if batch.append(
                key=record.key, value=record.value, timestamp=record.time_ms, headers=list(record.headers)
            ) is None:  # fmt: skip
                break
            taken += 1
        if not taken:
            raise NotConfirmed(f"a record of {topic} does not fit into a batch of {BATCH_BYTES} bytes")
        batch.close()
        acknowledged = await (await producer.send_batch(batch, topic, partition=partition))
        first = acknowledged.offset  # -1 for a batch that the broker had long before
        last = first + taken - 1 if first >= 0 else None
        seqs = tuple(record.seq for record in left[:taken])
        confirmed.append(Confirmed(topic, partition, seqs, last))
        left = left[taken:]
