"""The relay process: from the outbox to Kafka, one at work, the others waiting."""

import asyncio

from compose.failpoints import failpoints
from compose.kafka.log import KafkaLog
from compose.postgres.connections import connect
from compose.processes.shutdown import until_stopped
from compose.settings import Settings
from compose.telemetry import recorders
from producers.outbox.partition_layout import Layout
from producers.outbox.relay import acquire_leadership, relay
from schemas.topics import TOPICS


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Relay until stopped. The lock lives on its own direct connection: with it the leadership
    ends.
    """

    failpoint = failpoints()

    async def term() -> None:
        # A session whose client is gone, and which hears of no end, must not keep the lock.
        connection = await connect(
            settings.postgres_url.get_secret_value(),
            "headrace_pipeline",
            "relay",
            settings.statement_seconds,
            settings={"idle_session_timeout": str(int(settings.statement_seconds * 2000))},
        )
        kafka: KafkaLog | None = None
        try:
            layout = Layout({topic.name: topic.partitions for topic in TOPICS})
            # Struck off once Kafka has them: sent to another cluster, records would be missed by
            # every consumer.
            kafka = KafkaLog(
                settings.kafka,
                settings.kafka_topic_prefix,
                lambda: layout.cluster,
                layout.partitions,
                confirmed=layout.confirmed,
            )
            await acquire_leadership(connection, stop)
            if not stop.is_set():
                recorders.elected("relay")
            await relay(
                connection, kafka, stop, layout, failpoint=failpoint, relayed=recorders.relayed
            )
        finally:
            if kafka is not None:
                await kafka.stop()
            await connection.close(timeout=5)

    await until_stopped(stop, term)
