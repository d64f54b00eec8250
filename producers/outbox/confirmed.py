"""What Kafka has confirmed: struck off the outbox, with how far each partition was confirmed."""

from collections.abc import Sequence

from producers.outbox.ports import Confirmed, Statements

# One statement: an end never tells of a record that the outbox still lists, nor the other way round.
STRIKE_OFF = """
WITH struck AS (DELETE FROM outbox WHERE seq = ANY($1::bigint[]))
INSERT INTO partition_ends AS known (topic, partition, confirmed_offset, seq)
SELECT topic, partition, confirmed_offset, seq
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[])
     AS given(topic, partition, confirmed_offset, seq)
ON CONFLICT (topic, partition) DO UPDATE
SET confirmed_offset = EXCLUDED.confirmed_offset, seq = EXCLUDED.seq
WHERE known.confirmed_offset < EXCLUDED.confirmed_offset
"""


async def strike_off(connection: Statements, confirmed: Sequence[Confirmed]) -> None:
    """Delete the batches' rows from the outbox, and remember the highest offset of each partition."""
    if not confirmed:
        return
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for batch in confirmed:
        if batch.offset is not None:
            place = (batch.topic, batch.partition)
            ends[place] = max(ends.get(place, (-1, 0)), (batch.offset, batch.seqs[-1]))
    places = sorted(ends)
    await connection.execute(
        STRIKE_OFF, [seq for batch in confirmed for seq in batch.seqs],
        [topic for topic, _ in places], [partition for _, partition in places],
        [ends[place][0] for place in places], [ends[place][1] for place in places],
    )  # fmt: skip
