"""Webhooks through the real door, relay and consumers, and a Kafka that loses what it had."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka.restore import Restored, restoring
from compose.processes import relay
from compose.settings import Settings
from schemas.topics import WEBHOOKS
from tests.acceptance.world import World, api_only, running_processes
from tests.chaos.live_stack import COMMAND
from tests.chaos.lives import variables
from tests.eventually import eventually

BILLED = "SELECT unnest(event_ids) AS id FROM usage_records WHERE meter = 'webhook_events'"
TAKEN = "SELECT event_id AS id FROM processed WHERE consumer = 'ingest'"
SEEN = "SELECT coalesce(sum(value), 0)::int FROM read_usage_days WHERE meter = 'webhook_events'"


@dataclass
class Ground:
    """A tenant's source, and what became of all that was sent to it."""

    settings: Settings
    pipeline: AsyncEngine
    admin: AIOKafkaAdminClient
    world: World
    source: dict[str, Any]
    sent: int = 0

    async def ask(self, query: str, **given: object) -> list[Any]:
        """The first column of every row."""
        async with self.pipeline.begin() as tx:
            return list((await tx.execute(text(query), given)).scalars())

    async def send(self, count: int) -> None:
        """So many more webhooks, each answered 202."""
        for first in range(0, count, 20):
            bodies = [self.sent + place for place in range(first, min(first + 20, count))]
            answers = await asyncio.gather(
                *(self.world.send(self.source, b'{"n": %d}' % n, f"msg_{n}") for n in bodies)
            )
            assert {answer.status_code for answer in answers} == {202}
        self.sent += count

    async def relayed(self) -> None:
        """All that waits is sent, by a relay of its own."""
        stop = asyncio.Event()
        running = asyncio.create_task(relay.run(self.settings, stop))
        await eventually(lambda: self.ask("SELECT seq FROM outbox LIMIT 1"), lambda rows: not rows)
        stop.set()
        await running

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relay, ingest, billing and the usage view."""
        async with running_processes(self.settings, ["ingest", "billing"], ["usage"]):
            yield

    async def lose_topic(self, topic: str = WEBHOOKS.name) -> None:
        """Kafka no longer has it."""
        name = self.settings.kafka_topic_prefix + topic
        await self.admin.delete_topics([name])

        async def there() -> bool:
            return name in await self.admin.list_topics()

        await eventually(there, lambda found: not found)

    async def cut_head(self, before: int) -> None:
        """Kafka has no webhook that stands at a lower offset; all stand in one partition."""
        name = self.settings.kafka_topic_prefix + WEBHOOKS.name
        (number,) = await self.ask(
            "SELECT partition FROM positions WHERE consumer = 'billing' AND topic = :topic AND "
            "next > 0",
            topic=name,
        )
        await self.admin.delete_records({TopicPartition(name, number): RecordsToDelete(before)})

    async def effects(self) -> dict[str, int]:
        """How many of the webhooks each has had: on the ledger, in ingest, in the view.

        None twice.
        """
        billed, taken = await self.ask(BILLED), await self.ask(TAKEN)
        assert len(billed) == len(set(billed))
        (seen,) = await self.ask(SEEN)
        return {"billed": len(billed), "ingested": len(set(taken)), "seen": seen}

    async def all_applied(self, seconds: float = 60) -> None:
        """Every webhook that was answered 202 has its effect exactly once, everywhere."""
        wanted = dict.fromkeys(("billed", "ingested", "seen"), self.sent)
        await eventually(self.effects, lambda found: found == wanted, seconds=seconds)
        assert await self.ask("SELECT reason FROM blocked_partitions") == []
        assert await self.ask("SELECT seq FROM outbox_held") == []
        assert await self.ask("SELECT topic FROM topic_layouts WHERE held_since IS NOT NULL") == []

    async def restore(self, *arguments: str, **more: str) -> tuple[int, dict[str, Any], str]:
        """`headrace topics restore` as a process: its status, its last line, what else it said."""
        child = await asyncio.create_subprocess_exec(
            *COMMAND,
            "topics",
            "restore",
            "--json",
            *arguments,
            env=variables(self.settings) | more,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await child.communicate()
        lines = out.decode().splitlines()
        code = child.returncode or 0
        return code, json.loads(lines[-1]) if lines and not code else {}, err.decode()

    async def restore_here(self, first_seq: int | None = None, *, every: bool = False) -> Restored:
        """The same in this process."""
        async with restoring(self.settings, lambda _: None) as restoration:
            return await restoration.restore(first_seq, every=every)

    async def killed(self, step: str) -> None:
        """The same, killed at a step."""
        code, _, said = await self.restore(CRASH_AT=f"{step}:1")
        assert (code, f"killed at {step}" in said) == (-signal.SIGKILL, True), said


@asynccontextmanager
async def ground(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> AsyncIterator[Ground]:
    """An API and a source; relay and consumers are the test's to run."""
    async with api_only(settings) as world:
        source = await world.source("ci")
        yield Ground(settings, pipeline, admin, world, source)
