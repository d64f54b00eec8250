"""Where readers go on after a restore, and the statements that set them there."""

from collections.abc import Collection, Sequence
from datetime import datetime

from aiokafka import TopicPartition

from compose.kafka.partition_expansion.progress import Look
from compose.kafka.restore.missing import NOW, remembered_for
from compose.kafka.restore.survey import TopicLoss

# As deliveries lock theirs, of one consumer, by topic and partition.
LOCK = """
SELECT FROM positions WHERE topic = ANY($1::text[])
ORDER BY topic, partition, consumer, generation FOR UPDATE
"""
MOVE = """
UPDATE positions p
SET next = g.next, last_event_id = NULL, last_event_offset = NULL, updated_at = headrace_clock()
FROM unnest($2::text[], $3::int[], $4::int[], $5::bigint[]) AS g(consumer, generation, partition,
    next)
WHERE p.topic = $1 AND p.consumer = g.consumer AND p.generation = g.generation
    AND p.partition = g.partition
"""
Offsets = Sequence[int]


async def resuming(
    look: Look, losses: Sequence[TopicLoss], whole: Collection[str]
) -> dict[str, Offsets]:
    """The offset that each position of a loss is set to, by the topic's name on Kafka.

    That is the log's beginning, or the first record whose claims are still there where the reader
    has had those before; for one that is below the log its end, where all is published again.
    """
    now: datetime = await look.connection.fetchval(NOW)
    since = int((now - remembered_for(look.settings)).timestamp() * 1000)
    return {
        loss.name: await _of_topic(look, loss, since, loss.topic.name in whole) for loss in losses
    }


async def _of_topic(look: Look, loss: TopicLoss, since: int, is_whole: bool) -> Offsets:
    numbers = {one.partition for one in loss.positions}
    wanted = {
        TopicPartition(loss.name, number): since
        for number, (begin, end) in loss.log.items()
        if number in numbers and begin < end
    }
    found = await look.log.offsets_for_times(wanted) if wanted else {}
    offsets = []
    for one in loss.positions:
        begin, end = loss.log.get(one.partition, (0, 0))
        first = found.get(TopicPartition(loss.name, one.partition))
        remembered = end if first is None else first.offset
        at_end = is_whole and one.is_below
        offsets.append(end if at_end else max(begin, min(remembered, one.next)))
    return offsets
