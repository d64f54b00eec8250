"""Members as processes that can be killed, and what they are fed with."""

import multiprocessing
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from compose.kafka.log import partition_of
from schemas.event import Event
from schemas.topics import WEBHOOKS
from tests.chaos.members.member import Orders, member
from tests.integration.consumers.rows import webhook

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.members.member"])  # so that a start costs no imports


class Crew:
    """Real processes."""

    def __init__(self) -> None:
        self.members: list[ForkServerProcess] = []

    def start(self, orders: Orders) -> ForkServerProcess:
        """One more."""
        process = CONTEXT.Process(target=member, args=(orders,))
        process.start()
        self.members.append(process)
        return process

    def kill(self, process: ForkServerProcess) -> int:
        """SIGKILL; its number."""
        assert process.pid is not None
        process.kill()
        process.join()
        self.members.remove(process)
        return process.pid


@contextmanager
def crew() -> Iterator[Crew]:
    """Nobody is left behind."""
    made = Crew()
    try:
        yield made
    finally:
        for process in [*made.members]:
            made.kill(process)


@dataclass
class Feed:
    """Messages of many keys, in order within each; some of them twice, as a relay does it."""

    bootstrap: str
    prefix: str
    partitions: int
    dice: random.Random
    producer: AIOKafkaProducer
    keys: list[uuid.UUID] = field(default_factory=list)
    sent: dict[uuid.UUID, int] = field(default_factory=dict)
    events: set[uuid.UUID] = field(default_factory=set)
    copies: int = 0
    tenant: uuid.UUID = field(default_factory=uuid.uuid4)

    def choose_keys(self, per_partition: int) -> None:
        """So many in every partition."""
        room = dict.fromkeys(range(self.partitions), per_partition)
        while any(room.values()):
            key = uuid.uuid4()
            partition = self.partition(str(key))
            if room[partition]:
                room[partition] -= 1
                self.keys.append(key)

    def partition(self, subject: str) -> int:
        """Where a key stands."""
        return partition_of(f"{self.tenant}:{subject}".encode(), self.partitions)

    async def send(self, count: int, copied: float = 0.05) -> None:
        """So many messages, round the keys."""
        for _ in range(count):
            key = self.keys[len(self.events) % len(self.keys)]
            number = self.sent.get(key, 0)
            self.sent[key] = number + 1
            event = webhook(self.tenant, key, str(number))
            self.events.add(event.id)
            await self._put(event)
            if self.dice.random() < copied:
                self.copies += 1
                await self._put(event)

    async def _put(self, event: Event) -> None:
        await self.producer.send(
            self.prefix + WEBHOOKS.name,
            event.encode(),
            event.key,
            headers=list(event.headers()),
            partition=self.partition(event.subject),
        )


@asynccontextmanager
async def feeding(
    bootstrap: str, admin: AIOKafkaAdminClient, seed: int, partitions: int
) -> AsyncIterator[Feed]:
    """A topic of its own."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    await admin.create_topics([NewTopic(prefix + WEBHOOKS.name, partitions, 1)])
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=1 << 20
    ) as producer:
        feed = Feed(bootstrap, prefix, partitions, random.Random(seed), producer)
        feed.choose_keys(2)
        yield feed
    await admin.delete_topics([prefix + WEBHOOKS.name])


@asynccontextmanager
async def evidence(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to ask what the members did."""
    connection = await asyncpg.connect(database, server_settings={"role": "headrace_pipeline"})
    try:
        yield connection
    finally:
        await connection.close()
