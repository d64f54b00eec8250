"""`headrace topics restore` for readers further behind than the retention: nothing is skipped."""

from datetime import timedelta

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.restoring import restoring
from compose.settings import Settings
from schemas.topics import WEBHOOKS
from tests.integration.restoring.ground import Ground, ground

LATER = WEBHOOKS.retention + timedelta(days=2)
FORGOTTEN = timedelta(days=34, hours=1)


async def pass_time(made: Ground, since: timedelta) -> None:
    """All that was accepted is so old."""
    owner = await asyncpg.connect(
        made.settings.postgres_url.get_secret_value(), server_settings={"role": "headrace_owner"}
    )
    await owner.execute("UPDATE clock_offset SET value = $1", since)
    await owner.close()


@pytest.mark.parametrize("whole_log", [False, True])
async def test_what_retention_took_from_a_reader_is_published_again(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient, *, whole_log: bool
) -> None:
    """10 of 40 were consumed; Kafka removed 20 as too old, or lost all; what is forgotten is counted."""
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
        assert [(one.records, one.too_old) for one in planned.ranges] == [(0, made.sent if whole_log else 20)]

        await pass_time(made, LATER)
        assert (await made.restore_here()).records == made.sent
        async with made.running():
            await made.all_applied()
