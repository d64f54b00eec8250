"""The rows that outlive a process: how often it began at one place, and what it had in hand."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.record import Record, Span

OF = "consumer = :consumer AND generation = :generation"
PLACE = f"{OF} AND topic = :topic AND partition = :partition"
SPANS = """unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:nexts AS bigint[]))
           AS given(topic, partition, next)"""
# Begun again where it had begun before: nothing was committed in between.
BEGIN = text(f"""
    INSERT INTO consumer_starts (consumer, generation, topic, partition, next, starts)
    SELECT :consumer, :generation, topic, partition, next, 1 FROM {SPANS} ORDER BY topic, partition
    ON CONFLICT (consumer, generation, topic, partition) DO UPDATE
    SET starts = CASE WHEN consumer_starts.next = excluded.next THEN consumer_starts.starts + 1 ELSE
        1 END,
        next = excluded.next
    RETURNING topic, partition, starts
""")
FORGET = text(f"""
    DELETE FROM suspect_records s USING {SPANS}
    WHERE s.consumer = :consumer AND s.generation = :generation
      AND s.topic = given.topic AND s.partition = given.partition AND s."offset" < given.next
""")
SUSPECTS = text(f"""
    SELECT topic, partition, "offset", deaths, ordered_by IS NOT NULL AS ordered
        FROM suspect_records WHERE {OF}
""")
TAKE = text("""
    INSERT INTO suspect_records (consumer, generation, topic, partition, "offset", deaths)
    VALUES (:consumer, :generation, :topic, :partition, :offset, :counts)
    ON CONFLICT (consumer, generation, topic, partition, "offset") DO UPDATE
    SET deaths = suspect_records.deaths + :counts, at = headrace_clock()
    RETURNING deaths, ordered_by, reason
""")
GIVE_BACK = text(
    f'UPDATE suspect_records SET deaths = deaths - 1 WHERE {PLACE} AND "offset" = :offset AND '
    "deaths > 0"
)
DROP = text(
    f'DELETE FROM suspect_records WHERE {PLACE} AND "offset" = :offset AND ordered_by IS NULL'
)
ORDER = text("""
    INSERT INTO suspect_records (consumer, generation, topic, partition, "offset", ordered_by,
        reason)
    VALUES (:consumer, :generation, :topic, :partition, :offset, :by, :reason)
    ON CONFLICT (consumer, generation, topic, partition, "offset") DO UPDATE
    SET ordered_by = excluded.ordered_by, reason = excluded.reason, at = headrace_clock()
""")


class Subscriber(NamedTuple):
    """Whose rows: a consumer, or one generation of a projection."""

    consumer: str
    generation: int = 0


class Suspect(NamedTuple):
    """A record that somebody had in hand and did not finish, or that an operator wants out of
    the way.
    """

    topic: str
    partition: int
    offset: int
    deaths: int
    ordered: bool


class Taken(NamedTuple):
    """What is known of a record that is taken in hand; `deaths` counts this time too."""

    deaths: int
    ordered_by: str | None
    reason: str | None


async def begin(
    tx: AsyncConnection, who: Subscriber, spans: Sequence[Span]
) -> dict[tuple[str, int], int]:
    """Note where partitions are begun.

    How often each was begun there with nothing committed since.
    """
    rows = await tx.execute(BEGIN, {**who._asdict(), **_places(spans)})
    return {(row.topic, row.partition): row.starts for row in rows}


async def forget(
    tx: AsyncConnection, who: Subscriber, places: Sequence[tuple[str, int, int]]
) -> None:
    """Delete the counts before (topic, partition, next)."""
    topics, partitions, nexts = zip(*places, strict=True)
    given = {"topics": list(topics), "partitions": list(partitions), "nexts": list(nexts)}
    await tx.execute(FORGET, {**who._asdict(), **given})


async def suspects(tx: AsyncConnection, who: Subscriber) -> list[Suspect]:
    """Every row of the subscriber; they are few."""
    return [Suspect(*row) for row in await tx.execute(SUSPECTS, who._asdict())]


async def take(tx: AsyncConnection, who: Subscriber, record: Record, *, counts: bool) -> Taken:
    """Note that a record is about to be handled; it counts once for each process."""
    given = {**who._asdict(), **_place(record), "counts": int(counts)}
    return Taken(*(await tx.execute(TAKE, given)).one())


async def give_back(tx: AsyncConnection, who: Subscriber, record: Record) -> None:
    """It was not handled, and the process is alive."""
    await tx.execute(GIVE_BACK, {**who._asdict(), **_place(record)})


async def drop(tx: AsyncConnection, who: Subscriber, record: Record) -> None:
    """What was counted of it does not count any more; an operator's order stays."""
    await tx.execute(DROP, {**who._asdict(), **_place(record)})


async def order(
    tx: AsyncConnection,
    who: Subscriber,
    topic: str,
    partition: int,
    offset: int,
    by: str,
    reason: str,
) -> None:
    """Have a record parked when the subscriber comes to it, unhandled."""
    place = {"topic": topic, "partition": partition, "offset": offset}
    await tx.execute(ORDER, {**who._asdict(), **place, "by": by, "reason": reason})


def _place(record: Record) -> dict[str, object]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def _places(spans: Sequence[Span]) -> dict[str, object]:
    return {
        "topics": [span.topic for span in spans],
        "partitions": [span.partition for span in spans],
        "nexts": [span.start for span in spans],
    }
