"""Which topics have lost something on Kafka: its ends, beside what Postgres knows was confirmed
and consumed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from compose.kafka.partition_expansion.progress import RESTORE, Look
from compose.kafka.subscription.log import Ends, ends
from compose.kafka.topics import partitions_of
from schemas.topics import TOPICS, Topic

CLUSTER = "SELECT cluster_id, incarnation FROM kafka_cluster"
LAYOUTS = "SELECT topic, partitions, held_for, held_by FROM topic_layouts"
POSITIONS = """
SELECT consumer, generation, partition, next,
       CASE WHEN last_event_offset = next - 1 THEN last_event_id END AS last_event_id
FROM positions WHERE topic = $1 ORDER BY consumer, generation, partition
"""
CONFIRMED = """
SELECT partition, confirmed_offset, went_back_at FROM partition_ends WHERE topic = $1
    ORDER BY partition
"""
BLOCKED = """
SELECT consumer, generation, partition, reason FROM blocked_partitions WHERE topic = $1
ORDER BY consumer, generation, partition
"""


class CannotRestore(Exception):
    """Why not, then what to do: a line each."""


@dataclass(frozen=True)
class Position:
    """A position that is not to be believed; `is_below`: the log begins above it.

    `is_behind`: not all that was confirmed is consumed, or nobody knows; `last_event_id` is the
    last one that is, None where nobody knows.
    """

    consumer: str
    generation: int
    partition: int
    next: int
    is_below: bool
    is_behind: bool
    last_event_id: UUID | None


@dataclass(frozen=True)
class TopicLoss:
    """A topic, why something of it is lost (no reason: nothing is), and what Kafka has of it.

    `name` is the topic's name on Kafka, `partitions` what its keys are spread over, `found` what
    Kafka has. `is_begun`: a restore holds it, which may have been killed.
    """

    topic: Topic
    name: str
    partitions: int
    found: int
    log: Mapping[int, Ends]
    reasons: tuple[str, ...]
    positions: tuple[Position, ...]
    is_begun: bool

    @property
    def is_empty(self) -> bool:
        """Whether Kafka has no record of it."""
        return all(begin == end for begin, end in self.log.values())

    @property
    def has_below(self) -> bool:
        """Whether a reader is below the log's beginning."""
        return any(one.is_below for one in self.positions)


@dataclass(frozen=True)
class Survey:
    """The cluster that answers, whether it is another one than before, and each topic."""

    cluster: str
    known_cluster: str | None
    topics: tuple[TopicLoss, ...]

    @property
    def lost(self) -> tuple[TopicLoss, ...]:
        """The topics of which something is lost, or whose restore was not finished."""
        return tuple(one for one in self.topics if one.reasons or one.is_begun)


async def survey(look: Look) -> Survey:
    """Compare; reads only. Raises CannotRestore for a topic that is being grown."""
    known: Any = await look.connection.fetchrow(CLUSTER)
    cluster = str((await look.admin.describe_cluster())["cluster_id"])
    another = known is not None and known["cluster_id"] != cluster
    layouts = {row["topic"]: row for row in await look.connection.fetch(LAYOUTS)}
    prefix = look.settings.kafka_topic_prefix
    there = set(await look.admin.list_topics()) & {prefix + topic.name for topic in TOPICS}
    counts = await partitions_of(look.admin, sorted(there)) if there else {}
    places = [(name, number) for name, count in counts.items() for number in range(count)]
    found: dict[str, dict[int, Ends]] = defaultdict(dict)
    for (name, number), bounds in (await ends(look.log, places)).items() if places else ():
        found[name][number] = bounds
    why = [f"this is Kafka cluster {cluster}, it was {known['cluster_id']}"] if another else []
    return Survey(
        cluster,
        known["cluster_id"] if known else None,
        tuple(
            [
                await _of_topic(
                    look, topic, layouts.get(topic.name), found[prefix + topic.name], why
                )
                for topic in TOPICS
            ]
        ),
    )


async def _of_topic(
    look: Look, topic: Topic, layout: Any, log: Mapping[int, Ends], why: Sequence[str]
) -> TopicLoss:
    name = look.settings.kafka_topic_prefix + topic.name
    partitions = layout["partitions"] if layout else topic.partitions
    is_begun = layout is not None and layout["held_by"] == RESTORE
    reasons = [*why, *_of_layout(topic, layout, partitions, len(log))]
    suspect = set(range(max(partitions, len(log)))) if reasons else set()
    confirmed_offsets = {}
    for row in await look.connection.fetch(CONFIRMED, name):
        confirmed_offsets[row["partition"]] = row["confirmed_offset"]
        _, end = log.get(row["partition"], (0, 0))
        if end <= row["confirmed_offset"] or row["went_back_at"] is not None:
            confirmed = row["confirmed_offset"]
            reasons.append(
                f"{name}[{row['partition']}] ends at {end}, and offset {confirmed} was confirmed"
            )
            suspect.add(row["partition"])
    blocked = await look.connection.fetch(BLOCKED, name)
    reasons += [f"{row['consumer']} waits: {row['reason']}" for row in blocked]
    stuck = {(row["consumer"], row["generation"], row["partition"]) for row in blocked}
    positions = []
    for row in await look.connection.fetch(POSITIONS, name):
        begin, end = log.get(row["partition"], (0, 0))
        place = (row["consumer"], row["generation"], row["partition"])
        outside = not begin <= row["next"] <= end
        if outside and row["partition"] not in suspect and place not in stuck:
            reasons.append(
                f"{row['consumer']} is at {row['next']} of {name}[{row['partition']}],"
                f" which starts at {begin} and ends at {end}"
            )
        if outside or row["partition"] in suspect or place in stuck:
            is_below = row["next"] < begin
            is_behind = row["next"] <= confirmed_offsets.get(row["partition"], row["next"])
            positions.append(
                Position(*place, row["next"], is_below, is_below or is_behind, row["last_event_id"])
            )
    return TopicLoss(
        topic, name, partitions, len(log), log, tuple(reasons), tuple(positions), is_begun
    )


def _of_layout(topic: Topic, layout: Any, partitions: int, found: int) -> Iterable[str]:
    """What the numbers of partitions say; a topic that was never made has lost nothing."""
    if layout is None:
        return
    if layout["held_for"] is not None:
        raise CannotRestore(
            f"{topic.name} is being grown to {layout['held_for']} partitions",
            f"finish that first: headrace topics grow {topic.name} {layout['held_for']}",
            f"or give it up: headrace topics grow {topic.name} {layout['partitions']}",
        )
    if not found:
        yield f"{topic.name} is not on Kafka"
    elif found < partitions:
        yield f"{topic.name} has {found} partitions and had {partitions}: it was made anew"
