"""Whether a log is still the one that was written: not gone back, and not another of the same
name.
"""

from collections.abc import Mapping
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from compose.kafka.log_mark import Mark
from compose.kafka.subscription.log import Ends
from compose.kafka.subscription.ports import LogWentBack, Partition
from schemas.record import event_id_of

FIRST_BYTES = 64 << 10  # of a partition; a batch that is larger comes whole all the same
ANSWER_MS = 200


def require_confirmed(marks: Mapping[Partition, Mark], found: Mapping[Partition, Ends]) -> None:
    """Raise LogWentBack for the first partition that ends before what Kafka had confirmed."""
    for partition, mark in marks.items():
        if mark.went_back:
            raise LogWentBack(partition, "Kafka gave offsets out a second time")
        _, end = found[partition]
        if end <= mark.confirmed:
            why = f"Kafka had confirmed offset {mark.confirmed}, and it ends at {end}"
            # A broker just restarted may show an old end for a moment.
            raise LogWentBack(partition, why, is_certain=False)


async def require_last_events(
    bootstrap: str, marks: Mapping[Partition, Mark], found: Mapping[Partition, Ends]
) -> None:
    """Raise LogWentBack where the offset that was consumed last has another event now.

    A record that is no longer in the log cannot be compared.
    """
    expected = {
        TopicPartition(*partition): mark.last
        for partition, mark in marks.items()
        if mark.last is not None and found[partition][0] <= mark.last[0] < found[partition][1]
    }
    if not expected:
        return
    ids = await _event_ids(bootstrap, {place: offset for place, (offset, _) in expected.items()})
    for place, (offset, last_id) in expected.items():
        offset_found, id_found = ids[place]
        if offset_found == offset and id_found != last_id:
            why = f"event {last_id} was consumed at offset {offset}, where now is {id_found}"
            raise LogWentBack((place.topic, place.partition), why)


async def _event_ids(
    bootstrap: str, offsets: Mapping[TopicPartition, int]
) -> dict[TopicPartition, tuple[int, UUID | None]]:
    """Read the first record from each offset on; the caller's time limit ends it."""
    found: dict[TopicPartition, tuple[int, UUID | None]] = {}
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=FIRST_BYTES,
        fetch_max_wait_ms=ANSWER_MS,
    ) as consumer:
        consumer.assign(list(offsets))
        for place, offset in offsets.items():
            consumer.seek(place, offset)
        while missing := [place for place in offsets if place not in found]:
            for place, records in (await consumer.getmany(*missing, timeout_ms=ANSWER_MS)).items():
                found[place] = (records[0].offset, event_id_of(records[0].headers))
    return found
