"""What Kafka has confirmed: struck off the outbox, with how far each partition was confirmed."""

import asyncio
from collections.abc import Sequence

from producers.outbox.ports import Confirmed, Log, Place, Statements

# One statement: an end never tells of a record that the outbox still lists, nor the other way
# round.
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
# What is remembered may have been set back meanwhile, by a restore: then the offset is a new one.
REUSED = """
UPDATE partition_ends SET went_back_at = coalesce(went_back_at, headrace_clock())
WHERE topic = $1 AND partition = $2 AND confirmed_offset >= $3 RETURNING confirmed_offset
"""
ENDS = """
SELECT topic, partition, confirmed_offset, went_back_at IS NOT NULL AS went_back FROM partition_ends
"""
LOOKS, LOOK_SECONDS = 3, 0.3  # a broker just restarted may show an old end for a moment


async def strike_off(
    connection: Statements, confirmed: Sequence[Confirmed], known: dict[Place, int]
) -> None:
    """Delete the batches' rows from the outbox, and remember the highest offset of each
    partition.
    """
    if not confirmed:
        return
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for batch in confirmed:
        if batch.offset is not None:
            place = (batch.topic, batch.partition)
            ends[place] = max(ends.get(place, (-1, 0)), (batch.offset, batch.seqs[-1]))
    places = sorted(ends)
    await connection.execute(
        STRIKE_OFF,
        [seq for batch in confirmed for seq in batch.seqs],
        [topic for topic, _ in places],
        [partition for _, partition in places],
        [ends[place][0] for place in places],
        [ends[place][1] for place in places],
    )
    for place in places:
        known[place] = max(known.get(place, -1), ends[place][0])


async def is_reused(connection: Statements, batch: Confirmed) -> str | None:
    """Say why the log of a batch is another one, and remember that it is; None where it is not."""
    first = (batch.offset or 0) - len(batch.seqs) + 1
    rows = await connection.fetch(REUSED, batch.topic, batch.partition, first)
    if not rows:
        return None
    known = rows[0]["confirmed_offset"]
    where = f"{batch.topic}[{batch.partition}]"
    return f"{where} went back: Kafka gave out offset {first} again, it had confirmed {known}"


async def gone_back(connection: Statements, kafka: Log, known: dict[Place, int]) -> dict[str, str]:
    """Say of each of our topics whose log lost what Kafka had confirmed, why.

    And refresh `known`.
    """
    for look in range(LOOKS):
        rows = await connection.fetch(ENDS)
        known.clear()
        known.update(((row["topic"], row["partition"]), row["confirmed_offset"]) for row in rows)
        found = await kafka.ends(known)  # after `known`: ends only grow
        short = {
            kafka.own_name(
                topic
            ): f"{topic}[{partition}] went back: it ends at {found[topic, partition]},"
            f" and Kafka had confirmed offset {offset}"
            for (topic, partition), offset in known.items()
            if found.get((topic, partition), offset + 1) <= offset
        }
        if not short:
            break
        if look + 1 < LOOKS:
            await asyncio.sleep(LOOK_SECONDS)
    reused = {
        kafka.own_name(row["topic"]): f"{row['topic']}[{row['partition']}] went back and grew again"
        for row in rows
        if row["went_back"]
    }
    return short | reused
