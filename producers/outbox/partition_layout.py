"""How many partitions each topic's keys are spread over, and which topics wait: the relay's part
in their growth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from producers.outbox.ports import Place, Regrown, Session, Statements
from schemas.topics import TOPICS

PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}

# The relay asks between two rounds: once it has seen a hold, nothing of the topic is under way any
# more.
LOOK = """
WITH settled AS (UPDATE topic_layouts SET settled = true WHERE held_since IS NOT NULL
    AND NOT settled)
SELECT topic, partitions, held_since IS NOT NULL AS held, stopped_since IS NOT NULL AS stopped,
       (SELECT cluster_id FROM kafka_cluster) AS cluster
FROM (SELECT) AS always LEFT JOIN topic_layouts ON true
"""
# Out of the way of the other topics. What was lifted since the look parks nothing: the lock waits
# for it.
PARK = """
WITH held AS MATERIALIZED (
    SELECT topic FROM topic_layouts
    WHERE topic = ANY($2::text[]) AND (held_since IS NOT NULL OR stopped_since IS NOT NULL)
        FOR SHARE
), gone AS (
    DELETE FROM outbox o USING events e, held h
    WHERE o.seq = ANY($1::bigint[]) AND e.seq = o.seq AND h.topic = e.topic RETURNING o.seq,
        o.size_bytes, e.topic
)
INSERT INTO outbox_held (seq, size_bytes, topic) SELECT seq, size_bytes, topic FROM gone
"""
HOLD = """
INSERT INTO topic_layouts AS l (topic, partitions, held_for, held_by, held_since)
VALUES ($1, $2, $3, $4, headrace_clock())
ON CONFLICT (topic) DO UPDATE SET
    held_for = coalesce(EXCLUDED.held_for, l.held_for), held_since = coalesce(l.held_since,
        EXCLUDED.held_since),
    held_by = CASE WHEN EXCLUDED.held_for IS NULL THEN coalesce(l.held_by,
        EXCLUDED.held_by) ELSE EXCLUDED.held_by END
WHERE l.partitions = EXCLUDED.partitions
"""
# In one transaction, this first: it waits for the relay that is parking, and the rows are back when
# it sees the lift.
LIFT = """
UPDATE topic_layouts SET partitions = $2, held_for = NULL, held_by = NULL, held_since = NULL,
    settled = false
WHERE topic = $1
"""
# Not while the other reason remains, and not what waits behind a record that is refused.
UNPARK = """
WITH back AS (
    DELETE FROM outbox_held h
    WHERE topic = $1 AND refused_why IS NULL AND refused_key IS NULL AND NOT EXISTS (
        SELECT FROM topic_layouts l
        WHERE l.topic = h.topic AND (held_since IS NOT NULL OR stopped_since IS NOT NULL))
    RETURNING seq, size_bytes
)
INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM back
"""
# A topic that nobody made has no row yet: without one its rows could not be put aside.
STOP = """
INSERT INTO topic_layouts AS l (topic, partitions, stopped_since, stopped_why)
VALUES ($1, $3, headrace_clock(), $2)
ON CONFLICT (topic) DO UPDATE SET
    stopped_since = coalesce(l.stopped_since, EXCLUDED.stopped_since),
        stopped_why = EXCLUDED.stopped_why
"""
RESUME = "UPDATE topic_layouts SET stopped_since = NULL, stopped_why = NULL WHERE topic = $1"


@dataclass
class Layout:
    """What the relay keeps to.

    `partitions`, `confirmed` (the highest offset of each) and `cluster` are one mapping each for as
    long as it runs, so that its log can look in them. `stopped` are topics that it cannot send to;
    `refused` the keys, with their topics, of records that Kafka refuses.
    """

    partitions: dict[str, int] = field(default_factory=dict)
    confirmed: dict[Place, int] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    refused: set[tuple[str, bytes]] = field(default_factory=set)
    cluster: str | None = None

    async def look(self, connection: Statements) -> None:
        """See what was decided meanwhile; only between two rounds."""
        rows = await connection.fetch(LOOK)
        self.cluster = rows[0]["cluster"]
        rows = [row for row in rows if row["topic"] is not None]
        self.partitions.update((row["topic"], row["partitions"]) for row in rows)
        self.held = frozenset(row["topic"] for row in rows if row["held"])
        self.stopped = frozenset(row["topic"] for row in rows if row["stopped"])

    @property
    def waiting(self) -> frozenset[str]:
        """The topics that nothing is sent to."""
        return self.held | self.stopped

    async def park(self, connection: Statements, seqs: Sequence[int]) -> None:
        """Put rows of topics that wait aside, until they go on."""
        await connection.execute(PARK, seqs, sorted(self.waiting))

    async def stop(self, connection: Statements, topic: str, why: str) -> None:
        """Send nothing to a topic until `resume`; its rows wait."""
        await connection.execute(
            STOP, topic, why, self.partitions.get(topic, PARTITIONS.get(topic, 1))
        )
        self.stopped |= {topic}

    async def resume(self, connection: Session, topic: str) -> None:
        """Send to a topic again, what waits first."""
        async with connection.transaction():
            await connection.execute(RESUME, topic)
            await connection.execute(UNPARK, topic)
        self.stopped -= {topic}

    async def hold(self, connection: Statements, regrown: Regrown) -> None:
        """Let a topic wait that has other partitions than are known here."""
        await hold(connection, regrown.topic, regrown.known, None, "the relay")
        await self.look(connection)


async def hold(
    connection: Statements, topic: str, partitions: int, held_for: int | None, by: str
) -> None:
    """Send nothing of this topic from the relay's next look on; a hold that exists is kept.

    `held_for` is the number of partitions that it is being grown to; None when somebody else has
    grown it.
    """
    await connection.execute(HOLD, topic, partitions, held_for, by)


async def lift(connection: Statements, topic: str, partitions: int) -> None:
    """Let the relay go on with a topic over so many partitions.

    Inside a transaction of the caller's.
    """
    await connection.execute(LIFT, topic, partitions)
    await connection.execute(UNPARK, topic)
