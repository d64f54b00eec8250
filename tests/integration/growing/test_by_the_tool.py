"""`headrace topics grow` while everything goes on: order, and nothing lost, whatever kills it."""

import asyncio
import json

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka import topics
from compose.kafka.partition_expansion import CannotGrow, growing
from compose.kafka.partition_expansion.progress import RESTORE
from compose.settings import Settings
from producers.outbox.partition_layout import hold
from schemas.topics import JOBS
from tests.eventually import eventually
from tests.integration.growing.ground import TOPIC, ground, writing
from tests.integration.relay.log import numbered, on_kafka, unsent, write

pytestmark = pytest.mark.foreign("rows whose bytes say their order, read by nobody but the test")
CONTINUES = f"{TOPIC} continues over 9 partitions"


async def test_each_key_keeps_its_order_over_the_growth(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> None:
    """The readers are behind: until they are at the end the topic waits, the other topics do
    not.
    """
    told: list[str] = []

    async def waits() -> bool:
        return any("behind" in one for one in told)

    async with ground(settings, pipeline, admin) as found:
        async with writing(found):
            await found.more()
            found.open(yes=False)
            await found.more()
            async with growing(settings, TOPIC, told.append) as growth:
                task = asyncio.create_task(growth.grow(9, "test", 60))
                await eventually(waits)
                await found.parked()
                await write(pipeline, numbered("elsewhere", range(3)))
                assert (
                    len(
                        await eventually(
                            lambda: on_kafka(settings, JOBS.name), lambda all_: len(all_) == 3
                        )
                    )
                    == 3
                )
                await found.more(20)  # a second, in which it looks five times
                assert not task.done()
                assert await found.partitions() == 6
                found.open()
                grown = await task
                assert told[-1] == CONTINUES
            assert (grown.partitions, grown.spread_over, grown.held_since, grown.waiting) == (
                9,
                9,
                None,
                0,
            )
            await found.seen_above(6)
            await found.more()
        await found.end()
        assert await topics.ensure(settings) == []


@pytest.mark.parametrize("step", ["grow.held", "grow.drained", "grow.added"])
async def test_killed_and_called_again(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient, step: str
) -> None:
    """Once there are partitions that keys are not spread over, it can only be finished."""
    async with ground(settings, pipeline, admin) as found:
        async with writing(found):
            await found.more()
            await found.killed(step, 9)
            assert await found.held()
            await found.parked()
            assert await topics.ensure(settings) == []
            async with growing(settings, TOPIC, print) as growth:
                if step == "grow.added":
                    with pytest.raises(CannotGrow, match=f"headrace topics grow {TOPIC} 9"):
                        await growth.grow(6, "test", 60)
                    assert await found.held()
                grown = await growth.grow(9, "test", 60)
            assert (grown.partitions, grown.spread_over, grown.held_since) == (9, 9, None)
            await found.seen_above(6)
        await found.end()


async def test_killed_given_up_and_grown_by_the_command(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> None:
    """It is given up by the number that the topic had, as long as nothing was added."""
    async with ground(settings, pipeline, admin) as found:
        async with writing(found):
            await found.killed("grow.drained", 9)
            await found.parked()
            async with growing(settings, TOPIC, print) as growth:
                assert (await growth.grow(6, "test", 60)).held_since is None
            assert (await found.held(), await found.partitions()) == (False, 6)
            code, shown, said = await found.run("grow", TOPIC, "9", "--json")
            assert (code, said.splitlines()[-1]) == (0, CONTINUES)
            assert (json.loads(shown)["partitions"], json.loads(shown)["spread_over"]) == (9, 9)
            await found.seen_above(6)
        await found.end()


async def test_nobody_reads(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> None:
    """It says who is behind and by how much, and the topic goes on as it was."""
    async with ground(settings, pipeline, admin, reading=False) as found:
        await write(pipeline, numbered("k", range(3), TOPIC))
        await eventually(lambda: unsent(pipeline), lambda count: count == 0)
        with pytest.raises(CannotGrow, match="billing is 3 behind") as caught:
            async with growing(settings, TOPIC, print) as growth:
                await growth.grow(9, "test", 1)
        assert "ingest is 3 behind" in str(caught.value)
        assert (await found.held(), await found.partitions()) == (False, 6)
        await write(pipeline, numbered("k", range(3, 6), TOPIC))
        await eventually(lambda: on_kafka(settings, TOPIC), lambda all_: len(all_) == 6)


async def test_no_relay(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> None:
    """Nobody can say that nothing is under way."""
    async with ground(settings, pipeline, admin, relaying=False) as found:
        await write(pipeline, numbered("k", range(3), TOPIC))
        with pytest.raises(CannotGrow, match="no relay"):
            async with growing(settings, TOPIC, print) as growth:
                await growth.grow(9, "test", 1)
        assert (await found.held(), await found.partitions()) == (False, 6)


async def test_what_cannot_be(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> None:
    async with ground(settings, pipeline, admin, reading=False) as found:
        await write(pipeline, numbered("k", range(3), TOPIC))
        async with growing(settings, TOPIC, print) as growth:
            with pytest.raises(CannotGrow, match="another command is growing a topic"):
                async with growing(settings, JOBS.name, print):
                    pass
            with pytest.raises(CannotGrow, match="has 6 partitions, and Kafka takes none away"):
                await growth.grow(5, "test", 1)
            assert (await growth.grow(6, "test", 1)).held_since is None
            with pytest.raises(CannotGrow, match="there is no topic"):
                async with growing(settings, "headrace.nothing", print):
                    pass
            await hold(growth.look.connection, TOPIC, 6, None, RESTORE)
            for partitions in (6, 7):
                with pytest.raises(CannotGrow, match="headrace topics restore"):
                    await growth.grow(partitions, "test", 1)
        assert (await found.held(), await found.partitions()) == (True, 6)
