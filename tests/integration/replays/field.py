"""One tenant with its API, the consumers' runners and lanes, and no Kafka between them:
deliveries are handed in.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from compose.processes.replays import lane_of, published
from consumers.ports import Handle
from consumers.replays.worker.worker import ReplayWorker
from schemas.decode import read
from schemas.event import Event
from tests.acceptance.world import World
from tests.eventually import eventually
from tests.factories import new_id
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

RIGHT = {"dataset_id": "dataset", "target": "'target'", "model": "model"}
WRONG = {**RIGHT, "dataset_id": "data.set"}


def train(mapping: dict[str, str]) -> dict[str, Any]:
    """The action of a source that trains."""
    return {"kind": "command", "command": "train", "mapping": mapping}


@dataclass
class Field:
    """What the tests of replays ask and do."""

    bench: Bench
    world: World
    tenant: UUID
    feed: Feed = field(default_factory=Feed)

    async def received(self, source: dict[str, Any], number: int = 0) -> tuple[str, Event]:
        """A webhook as the door took it in: its request's id and its event."""
        body = json.dumps({"dataset": str(new_id()), "model": "wine", "number": number}).encode()
        answer = await self.world.send(source, body, f"msg_{source['id']}_{number}")
        assert answer.status_code == 202, answer.text
        told = answer.json()
        async with self.bench.pipeline.begin() as tx:
            record = await published(tx, self.tenant, UUID(told["event_id"]))
        assert record is not None
        return str(told["request_id"]), read(record)

    async def consumed(self, *events: Event) -> None:
        """What the live consumer makes of them."""
        assert await self.bench.runner("ingest")(self.feed.deliver(*events))

    async def dead(self, count: int = 1) -> tuple[dict[str, Any], list[str], list[Event]]:
        """A source with a wrong mapping and what it did: the source, its letters' ids, its
        events.
        """
        source = await self.world.source(f"ci {new_id().hex[-8:]}", train(WRONG))
        events = [(await self.received(source, number))[1] for number in range(count)]
        await self.consumed(*events)
        found = await self.bench.ask("SELECT id, event_id FROM dead_letters")
        ids = {row["event_id"]: str(row["id"]) for row in found}
        return source, [ids[event.id] for event in events], events

    async def mend(self, source: dict[str, Any], action: dict[str, Any] | None = None) -> None:
        """Give a source the right mapping, or another action."""
        body = {"action": action or train(RIGHT)}
        answer = await self.world.client.patch(f"/v1/sources/{source['id']}", json=body)
        assert answer.status_code == 200, answer.text

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        """A POST, whatever it is answered."""
        return await self.world.client.post(path, json=body)

    async def replay(self, **body: Any) -> str:
        """Start a replay; its id."""
        answer = await self.post("/v1/replays", {"reason": "mended", **body})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def of_ids(self, ids: Sequence[str], **body: Any) -> str:
        """Start a replay of these."""
        return await self.replay(filter={"ids": list(ids)}, **body)

    def lane(self, handle: Handle | None = None, consumer: str = "ingest") -> ReplayWorker:
        """As in the worker process; the handler may be the real one with something around it."""
        return lane_of(self.bench.runner(consumer, handle).runner)

    async def drain(self, *lanes: ReplayWorker) -> None:
        """Rounds until nothing is due."""
        for lane in lanes or (self.lane(),):
            while not await lane.round():
                pass

    async def settled(self, replay_id: str, seconds: float = 10) -> dict[str, int]:
        """The outcomes when nothing is pending; what waits is tried until then."""
        lane = self.lane()

        async def go() -> dict[str, int]:
            await lane.round()
            return await self.counts(replay_id)

        return await eventually(go, lambda counts: "pending" not in counts, seconds=seconds)

    async def counts(self, replay_id: str) -> dict[str, int]:
        """The outcomes of a replay, those that are none left out."""
        found = await self.world.get(f"/v1/replays/{replay_id}")
        return {name: count for name, count in found["counts"].items() if count}

    async def total(self, *replays: str) -> dict[str, int]:
        """The outcomes of several."""
        found: Counter[str] = Counter()
        for one in replays:
            found.update(await self.counts(one))
        return dict(found)

    async def items(self, replay_id: str) -> list[dict[str, Any]]:
        """The messages of a replay."""
        return list((await self.world.get(f"/v1/replays/{replay_id}", limit=200))["items"])

    async def states(self) -> list[str]:
        """Of all letters, the oldest first."""
        return [
            row["state"]
            for row in await self.bench.ask(
                "SELECT state FROM dead_letters ORDER BY created_at, id"
            )
        ]

    async def commands(self) -> int:
        """How many jobs were asked for."""
        return (await self.bench.said()).count("job.requested")
