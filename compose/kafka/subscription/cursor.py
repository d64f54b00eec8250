"""The assigned partitions: each either suspended, or placed with the offset its next delivery
starts from.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from compose.kafka.subscription.ports import Partition
from schemas.record import PollBatch, Record, Span, event_id_of


class Cursor:
    """Seeks, pauses and remembers what was delivered.

    Everything that must not be interrupted has no await.
    """

    def __init__(self, consumer: Callable[[], AIOKafkaConsumer]) -> None:
        self._consumer = consumer
        self._next: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}
        self.epoch = 0  # changes with every suspension: what was looked up for an older one is void
        self.activity = 0  # changes with everything that moves

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The subscription's current Kafka client."""
        return self._consumer()

    def assigned(self) -> list[Partition]:
        """The partitions of the current assignment, sorted."""
        return sorted((tp.topic, tp.partition) for tp in self.consumer.assignment())

    def placed(self) -> dict[Partition, int]:
        """The partitions that may be delivered, with the offset their next delivery starts from."""
        return dict(self._next)

    def led(self, partitions: Iterable[Partition]) -> list[Partition]:
        """Those that have a leader, as far as the client knows: of the others nothing can be
        asked.
        """
        leader_of = self.consumer._client.cluster.leader_for_partition  # noqa: SLF001 - it shows no metadata
        return [one for one in partitions if leader_of(TopicPartition(*one)) not in (None, -1)]

    def suspend(self) -> None:
        """Deliver nothing more: what is buffered or in flight is dropped, and nothing is
        fetched.
        """
        self.epoch += 1
        self._next.clear()
        for tp in self.consumer.assignment():
            self.consumer.pause(tp)
            self.consumer.seek(
                tp, 0
            )  # any valid offset: without one aiokafka goes to the group's committed one

    def place(self, offsets: Mapping[Partition, int]) -> None:
        """Go on from these offsets."""
        self.activity += 1
        for (topic, partition), offset in offsets.items():
            tp = TopicPartition(topic, partition)
            self.consumer.seek(tp, offset)
            self._next[topic, partition] = offset
            self.consumer.resume(tp)

    def hold(self, partition: Partition, offset: int) -> None:
        """Deliver nothing of one partition for now; it will go on from this offset."""
        tp = TopicPartition(*partition)
        self.consumer.pause(tp)
        self.consumer.seek(tp, offset)
        self._next[partition] = offset

    def release(self, partition: Partition, epoch: int) -> None:
        """Go on with it, unless everything was suspended since that epoch."""
        if epoch == self.epoch:
            self.activity += 1
            self.consumer.resume(TopicPartition(*partition))

    def take(self, polled: Iterable[ConsumerRecord[Any, Any]]) -> PollBatch | None:
        """Turn what a poll returned into a delivery and remember it; None when nothing of it may
        be delivered.
        """
        records: list[Record] = []
        spans: list[Span] = []
        for partition, group in groupby(
            polled, lambda polled_one: (polled_one.topic, polled_one.partition)
        ):
            start = self._next.get(partition)
            if start is None:
                continue  # suspended; it will be sought again
            of_partition = [_record(one) for one in group]
            if of_partition[0].offset < start:
                raise RuntimeError(
                    f"{partition} delivered {of_partition[0].offset}, before {start}"
                )
            self._next[partition] = of_partition[-1].offset + 1
            records += of_partition
            last = of_partition[-1]
            spans.append(Span(*partition, start, last.offset + 1, event_id_of(last.headers)))
        if not spans:
            return None
        self.activity += 1
        spans.sort(key=lambda span: (span.topic, span.partition))
        return PollBatch(tuple(records), tuple(spans))

    def finished(self, delivery: PollBatch) -> None:
        """Record that the effect of these deliveries, except those of paused partitions, is
        committed in the subscriber's store.
        """
        self.activity += 1
        for span in delivery.spans:
            partition = (span.topic, span.partition)
            self._committed[partition] = self._next.get(partition, span.next)

    def uncommitted(self) -> dict[TopicPartition, int]:
        """Group offsets that lag tools do not know yet, of partitions still assigned.

        Each is given once.
        """
        mine = self.consumer.assignment()
        fresh = {
            TopicPartition(*partition): offset for partition, offset in self._committed.items()
        }
        self._committed.clear()
        return {tp: offset for tp, offset in fresh.items() if tp in mine}

    async def positions(self) -> dict[Partition, int]:
        """Where the client will fetch next, past control records too, of the partitions that are
        placed.
        """
        return {
            partition: await self.consumer.position(TopicPartition(*partition))
            for partition in self.placed()
        }


def _record(polled: ConsumerRecord[Any, Any]) -> Record:
    """The record as we keep it."""
    headers: tuple[tuple[str, bytes], ...] = polled.headers
    if None in [value for _, value in headers]:  # null is possible too
        headers = tuple((name, value or b"") for name, value in headers)
    return Record(
        polled.topic,
        polled.partition,
        polled.offset,
        polled.key,
        polled.value,
        headers,
        polled.timestamp,
    )
