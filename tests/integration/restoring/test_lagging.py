"""`headrace topics restore` for readers behind the retention, and when it cannot work out what
is lost.
"""

from datetime import timedelta

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka.restore import restoring
from compose.settings import Settings
from schemas.topics import WEBHOOKS
from tests.integration.restoring.ground import Ground, ground

LATER = WEBHOOKS.retention + timedelta(days=2)
FORGOTTEN = timedelta(days=34, hours=1)


async def as_owner(made: Ground, statement: str, *given: object) -> None:
    """Of the tables."""
    owner = await asyncpg.connect(
        made.settings.postgres_url.get_secret_value(), server_settings={"role": "headrace_owner"}
    )
    await owner.execute(statement, *given)
    await owner.close()


async def pass_time(made: Ground, since: timedelta) -> None:
    """All that was accepted is so old."""
    await as_owner(made, "UPDATE clock_offset SET value = $1", since)


@pytest.mark.parametrize("whole_log", [False, True])
async def test_what_retention_took_from_a_reader_is_published_again(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient, *, whole_log: bool
) -> None:
    """10 of 40 were consumed; Kafka removed 20 as too old, or lost all.

    What is forgotten is counted.
    """
    async with ground(settings, pipeline, admin) as made:
        await made.send(10)
        async with made.running():
            await made.all_applied()
        await made.send(30)
        await made.relayed()
        await (made.lose_topic() if whole_log else made.cut_head(20))

        await pass_time(made, FORGOTTEN)
        async with restoring(made.settings, lambda _: None) as restoration:
            planned = await restoration.plan(None, every=False)
        assert [(one.records, one.too_old) for one in planned.ranges] == [
            (0, made.sent if whole_log else 20)
        ]

        await pass_time(made, LATER)
        assert (await made.restore_here()).records == made.sent
        async with made.running():
            await made.all_applied()


async def test_what_cannot_be_worked_out_holds_nothing(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> None:
    """Postgres refuses the log: it says so, and no topic waits for the next call."""
    async with ground(settings, pipeline, admin) as made:
        await made.send(1)
        await made.relayed()
        await made.lose_topic()
        await as_owner(made, "REVOKE SELECT ON events FROM headrace_pipeline")
        code, _, said = await made.restore()
        await as_owner(made, "GRANT SELECT ON events TO headrace_pipeline")
        assert (code, "permission denied" in said, "Traceback" in said) == (1, True, False), said
        assert await made.ask("SELECT topic FROM topic_layouts WHERE held_since IS NOT NULL") == []
        assert (await made.restore_here()).records == 1
