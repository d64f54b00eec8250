"""The topics on Kafka, made as `schemas.topics` says, and the cluster that they stand on."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.consumer_groups import group_of
from compose.kafka.subscription.ports import RESTORE
from compose.postgres.connections import engine
from compose.postgres.positions import remember_cluster
from compose.settings import Settings
from consumers.registry import BILLING
from schemas.topics import MOST_RECORD_BYTES, TOPICS

log = logging.getLogger(__name__)

LAYOUTS = text("SELECT topic, partitions, held_for FROM topic_layouts")
REMEMBER = text(
    "INSERT INTO topic_layouts (topic, partitions) VALUES (:topic, :partitions) ON CONFLICT DO "
    "NOTHING"
)


class WrongTopics(Exception):
    """A topic is not as it should be; only `headrace topics grow` changes its partitions."""


METADATA_SECONDS = 10.0


async def ensure(settings: Settings, *, hold: bool = False) -> list[str]:
    """Make the topics that are missing; returns their names. Raises WrongTopics.

    With `hold` one that somebody else has grown is no error: the relay holds it until it is taken
    over.
    """
    pipeline = engine(
        settings.postgres_url.get_secret_value(), "headrace_pipeline", "topics", pool_size=1
    )
    try:
        return await _ensure(settings, pipeline, hold=hold)
    finally:
        await pipeline.dispose()


async def _ensure(settings: Settings, pipeline: AsyncEngine, *, hold: bool) -> list[str]:
    async with pipeline.begin() as tx:
        layouts = {row.topic: row for row in (await tx.execute(LAYOUTS)).all()}
    prefix = settings.kafka_topic_prefix
    wanted = {prefix + topic.name: topic for topic in TOPICS}
    known = {topic: row.partitions for topic, row in layouts.items()}
    counts = {prefix + topic.name: known.get(topic.name, topic.partitions) for topic in TOPICS}
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, request_timeout_ms=20_000)
    await admin.start()
    try:
        about = await admin.describe_cluster()
        missing = await create(admin, prefix, counts)
        found = await partitions_of(admin, sorted(wanted))
        await coordinated(admin, group_of(BILLING.name, prefix))
    finally:
        await admin.close()
    cluster = await remember_cluster(pipeline, about["cluster_id"])
    if cluster != about["cluster_id"]:
        raise WrongTopics(
            f"the positions in Postgres are of Kafka cluster {cluster}, this is "
            f"{about['cluster_id']}; {RESTORE}"
        )
    for name, topic in wanted.items():
        _check(topic.name, name, found.get(name, 0), counts[name], layouts, hold=hold)
    async with pipeline.begin() as tx:
        for name, topic in wanted.items():
            await tx.execute(REMEMBER, {"topic": topic.name, "partitions": counts[name]})
    return missing


async def create(admin: AIOKafkaAdminClient, prefix: str, counts: Mapping[str, int]) -> list[str]:
    """Make those of the topics that are missing, by their names on Kafka; returns these.

    Raises WrongTopics.
    """
    about = await admin.describe_cluster()
    copies = min(3, len(about["brokers"]))
    wanted = {prefix + topic.name: topic for topic in TOPICS}
    missing = sorted(set(counts) - set(await admin.list_topics()))
    answer = (
        await admin.create_topics(
            [
                NewTopic(
                    name,
                    counts[name],
                    copies,
                    topic_configs={
                        "retention.ms": str(wanted[name].retention_ms),
                        "max.message.bytes": str(MOST_RECORD_BYTES),
                    },
                )
                for name in missing
            ]
        )
        if missing
        else None
    )
    for topic, code, *rest in answer.topic_errors if answer else ():
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise WrongTopics(f"{topic}: {error.__name__} {rest[0] if rest else ''}")
    return missing


def _check(
    topic: str, name: str, found: int, known: int, layouts: Mapping[str, Row[Any]], *, hold: bool
) -> None:
    """Raise WrongTopics for a count that is neither the known one nor the one that it is being
    grown to.
    """
    if found == known or (topic in layouts and found == layouts[topic].held_for):
        return
    wrong = f"{name} has {found} partitions, not {known}"
    if found < known:
        raise WrongTopics(f"{wrong}; Kafka takes none away, so it was made anew; {RESTORE}")
    wrong += (
        ": another tool added some. Until they are taken over nothing is sent to it; with "
        "everything running,"
        f" `headrace topics grow {topic} {found}` does that, and loses no order"
    )
    if not hold:
        raise WrongTopics(wrong)
    log.warning(wrong)


async def coordinated(admin: AIOKafkaAdminClient, group: str) -> None:
    """Return once Kafka can coordinate groups: it makes the topic of their offsets when it is asked
    for the first time.

    Else every consumer of a new cluster would log errors until that topic is there.
    """
    deadline = time.monotonic() + METADATA_SECONDS
    while time.monotonic() < deadline:
        try:
            await admin.find_coordinator(group)
        except KafkaError as error:
            if not error.retriable:
                return  # a right that is missing, say: the consumers will tell of it
        else:
            return
        await asyncio.sleep(0.1)


async def partitions_of(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """How many each topic has.

    One that was made a moment ago may not be in the broker's metadata yet.
    """
    deadline = time.monotonic() + METADATA_SECONDS
    while True:
        found = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(names)}
        if all(found.get(name) for name in names) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.1)
