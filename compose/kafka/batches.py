"""Batches to one partition, one at a time, and what Kafka answers to each."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from compose.kafka.refusals import OF_RECORDS, OF_TOPICS, said
from producers.outbox.ports import Confirmed, Outgoing, Place, RecordRefused, Sent

log = logging.getLogger(__name__)

BATCH_BYTES = 1 << 20
MOST_RECORDS = 1 << 20
GROW_AFTER = 16  # batches taken, before twice as many records are tried again


@dataclass
class Outcome:
    """What is known so far of a round; `has_gap`: a batch was refused, and its sequence numbers
    are missing.
    """

    confirmed: list[Confirmed] = field(default_factory=list)
    refused: list[RecordRefused] = field(default_factory=list)
    reused: list[tuple[str, Confirmed]] = field(default_factory=list)
    has_gap: bool = False

    def places(self) -> set[Place]:
        """The partitions that Kafka confirmed something of."""
        return {(one.topic, one.partition) for one in self.confirmed}

    def sent(self) -> Sent:
        """As the relay has it."""
        return Sent(tuple(self.confirmed), tuple(self.refused), tuple(self.reused))


@dataclass
class _Limit:
    """How many records a batch of a topic may have, and how many batches were taken since it is
    so.
    """

    records: int
    taken: int = 0


@dataclass
class Batches:
    """Sends to partitions; `confirmed` is the highest offset of each that was confirmed before.

    Kafka refuses a batch for one record in it, and does not say which: batches of the topic then
    have half as many records, down to one, and slowly more again.
    """

    prefix: str
    confirmed: Mapping[Place, int]
    _limits: dict[str, _Limit] = field(default_factory=dict)

    async def send(
        self,
        producer: AIOKafkaProducer,
        place: Place,
        records: Sequence[Outgoing],
        outcome: Outcome,
    ) -> None:
        """Send one batch at a time, the next when the one before is acknowledged.

        End at the first refusal.
        """
        topic = place[0].removeprefix(self.prefix)
        left = list(records)
        while left:
            limit = self._limits.get(topic)
            batch = producer.create_batch()
            taken = _fill(batch, left if limit is None else left[: limit.records])
            if not taken:
                why = f"it does not fit into a batch of {BATCH_BYTES} bytes"
                outcome.refused.append(RecordRefused(topic, left[0].seq, why))
                return
            try:
                acknowledged = await (
                    await producer.send_batch(batch, place[0], partition=place[1])
                )
            except OF_TOPICS as error:
                outcome.has_gap = True
                outcome.refused.append(RecordRefused(topic, None, said(error)))
                return
            except OF_RECORDS as error:
                outcome.has_gap = True
                self._refused(topic, left[:taken], error, outcome)
                return
            if self._is_reused(topic, place, left[:taken], acknowledged.offset, outcome):
                return
            left = left[taken:]
            if limit is not None:
                self._grow(topic, limit)

    def _is_reused(
        self, topic: str, place: Place, batch: Sequence[Outgoing], first: int, outcome: Outcome
    ) -> bool:
        # -1 for a batch that the broker had long before.
        last = first + len(batch) - 1 if first >= 0 else None
        found = Confirmed(*place, tuple(record.seq for record in batch), last)
        if 0 <= first <= self.confirmed.get(place, -1):
            outcome.reused.append((topic, found))
            return True
        outcome.confirmed.append(found)
        return False

    def _refused(
        self, topic: str, batch: Sequence[Outgoing], error: KafkaError, outcome: Outcome
    ) -> None:
        if len(batch) == 1:
            outcome.refused.append(RecordRefused(topic, batch[0].seq, said(error)))
            return
        before = self._limits.get(topic, _Limit(MOST_RECORDS)).records
        self._limits[topic] = _Limit(min(before, len(batch) // 2))
        log.warning("%s refuses a batch of %d records: %s", topic, len(batch), said(error))

    def _grow(self, topic: str, limit: _Limit) -> None:
        limit.taken += 1
        if limit.taken >= GROW_AFTER:
            limit.records, limit.taken = limit.records * 2, 0
        if limit.records > MOST_RECORDS:
            self._limits.pop(topic, None)


def _fill(batch: BatchBuilder, records: Sequence[Outgoing]) -> int:
    """Append what fits; returns how many."""
    now_ms = int(
        time.time() * 1000
    )  # never the event's: the clock of whoever made it may be hours off
    taken = 0
    for record in records:
        if (
            batch.append(
                key=record.key, value=record.value, timestamp=now_ms, headers=list(record.headers)
            )
            is None
        ):
            break
        taken += 1
    batch.close()
    return taken
