"""The topics on Kafka, made as `schemas.topics` says, and the cluster that they stand on."""

import asyncio
import time

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from compose.adapters.positions import remember_cluster
from compose.database import engine
from compose.settings import Settings
from schemas.topics import MOST_RECORD_BYTES, TOPICS


class WrongTopics(Exception):
    """A topic is not as it should be; its partitions are fixed at its creation."""


METADATA_SECONDS = 10.0


async def ensure(settings: Settings) -> list[str]:
    """Make the topics that are missing; returns their names. Raises WrongTopics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, request_timeout_ms=20_000)
    await admin.start()
    try:
        wanted = {settings.kafka_topic_prefix + topic.name: topic for topic in TOPICS}
        about = await admin.describe_cluster()
        copies = min(3, len(about["brokers"]))
        missing = sorted(set(wanted) - set(await admin.list_topics()))
        answer = await admin.create_topics([
            NewTopic(
                name, wanted[name].partitions, copies,
                topic_configs={
                    "retention.ms": str(wanted[name].retention_ms),
                    "max.message.bytes": str(MOST_RECORD_BYTES),
                },
            )
            for name in missing
        ]) if missing else None  # fmt: skip
        for topic, code, *rest in answer.topic_errors if answer else ():
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise WrongTopics(f"{topic}: {error.__name__} {rest[0] if rest else ''}")
        found = await _partitions(admin, sorted(wanted))
        for name, topic in wanted.items():
            if found.get(name) != topic.partitions:
                raise WrongTopics(f"{name} has {found.get(name)} partitions, not {topic.partitions}")
        cluster = about["cluster_id"]
    finally:
        await admin.close()
    pipeline = engine(settings.postgres_url.get_secret_value(), "headrace_pipeline", "topics", pool_size=1)
    try:
        known = await remember_cluster(pipeline, cluster)
    finally:
        await pipeline.dispose()
    if known != cluster:
        raise WrongTopics(f"the positions in Postgres are of Kafka cluster {known}, this is {cluster}")
    return missing


async def _partitions(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """How many each topic has; one that was made a moment ago may not be in the broker's metadata yet."""
    deadline = time.monotonic() + METADATA_SECONDS
    while True:
        found = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(names)}
        if all(found.get(name) for name in names) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.1)
