"""Senders and a reader, as there are outside: each message is sent again until it gets its 202."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import httpx

from producers.webhooks.verification.standard_webhooks import sign
from schemas.ids import derived
from tests.acceptance.world import ENDS
from tests.chaos.checker import Answer, Told
from tests.eventually import eventually

AGAIN_SECONDS = 0.05
PATIENCE_SECONDS = 90.0
AGAIN = 0.1  # share of messages that are sent twice
TRAINING = "training"
MOST_OPEN_JOBS = 5
MAPPING = {"dataset_id": "dataset_id", "target": "target", "model": "model"}


@dataclass
class Traffic:
    """What all clients of one run were told, and every answer that no sender should see."""

    client: httpx.AsyncClient
    seed: int
    answers: list[Answer] = field(default_factory=list)
    jobs: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    reads: list[Decimal] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    longest_wait_seconds: float = 0.0

    def told(self) -> Told:
        """As the checker wants it."""
        return Told(tuple(self.answers), frozenset(self.jobs), tuple(self.reads))

    @property
    def accepted(self) -> int:
        """Distinct events that were accepted."""
        return len({one.event_id for one in self.answers})

    async def more(self, events: int, seconds: float) -> None:
        """Wait until so many more were accepted."""
        goal = self.accepted + events

        async def accepted() -> int:
            return self.accepted

        await eventually(accepted, lambda now: now >= goal, seconds=seconds)

    async def source(self, name: str, action: dict[str, object]) -> dict[str, str]:
        """A new source with its secret."""
        answer = await self.client.post("/v1/sources", json={"name": name, "action": action})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def stream(
        self, source: dict[str, str], body: bytes, every_seconds: float, stop: asyncio.Event
    ) -> None:
        """Messages of one source, one after the other, some of them twice."""
        dice = random.Random(f"{self.seed}{source['name']}")
        number = 0
        while not stop.is_set():
            if source["name"].startswith(TRAINING):
                await self._wait_for_room(stop)
            await self.deliver(source, body, number)
            if dice.random() < AGAIN:
                await self.deliver(source, body, dice.randint(max(0, number - 20), number))
            number += 1
            await _pause(stop, every_seconds)

    async def read(self, stop: asyncio.Event) -> None:
        """Ask for one counter over and over."""
        while not stop.is_set():
            with suppress(httpx.TransportError):
                answer = await self.client.get(
                    "/v1/usage", params={"meter": "webhook_events", "window": "month"}
                )
                if answer.status_code == 200:
                    self.reads.append(
                        sum((Decimal(row["value"]) for row in answer.json()["data"]), Decimal(0))
                    )
                else:
                    self.note(answer)
            await _pause(stop, 0.25)

    async def _wait_for_room(self, stop: asyncio.Event) -> None:
        """More jobs than a machine can train would only make it late, however fast it is whole
        again.
        """
        while not stop.is_set():
            with suppress(httpx.TransportError):
                answer = await self.client.get("/v1/jobs", params={"limit": 200})
                if answer.status_code == 200:
                    self.ended |= {
                        one["id"] for one in answer.json()["data"] if one["state"] in ENDS
                    }
                else:
                    self.note(answer)
            if len(self.jobs - self.ended) < MOST_OPEN_JOBS:
                return
            await _pause(stop, 0.5)

    def note(self, answer: httpx.Response) -> None:
        """Count a refusal; keep what no client should see."""
        self.refused[f"{answer.status_code}"] += 1
        if answer.status_code != 503:
            self.surprises.append(
                f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"
            )

    async def deliver(self, source: dict[str, str], body: bytes, number: int) -> None:
        """One message, until it gets its 202."""
        began = time.monotonic()
        while True:
            headers = sign(
                body, source["secret"], message_id=f"msg_{number}", now=datetime.now(UTC)
            )
            headers["content-type"] = "application/json"
            try:
                answer = await self.client.post(
                    f"/hooks/{source['id']}", content=body, headers=headers
                )
            except httpx.TransportError as error:
                self.refused[type(error).__name__] += 1
            else:
                if answer.status_code == 202:
                    break
                self.note(answer)
            assert time.monotonic() - began < PATIENCE_SECONDS, (
                f"message {number} of {source['name']} is not accepted"
            )
            await asyncio.sleep(AGAIN_SECONDS)
        self.longest_wait_seconds = max(self.longest_wait_seconds, time.monotonic() - began)
        event_id = str(answer.json()["event_id"])
        self.answers.append(Answer(source["id"], number, event_id))
        if source["name"].startswith(TRAINING):
            self.jobs.add(str(derived(UUID(event_id), "job")))


def all_told(history: Sequence[Traffic]) -> Told:
    """Everything that was ever told of one stack: what was promised before still holds."""
    told = [one.told() for one in history]
    return Told(
        [answer for one in told for answer in one.answers],
        frozenset().union(*(one.jobs for one in told)),
        [read for one in told for read in one.reads],
    )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


@asynccontextmanager
async def flowing(
    client: httpx.AsyncClient,
    dataset_id: str,
    seed: int,
    *,
    every_seconds: float = 0.03,
    job_every_seconds: float = 4,
) -> AsyncIterator[Traffic]:
    """Two sources that forward, one that trains, and a reader.

    The last messages are accepted before this ends.
    """
    traffic = Traffic(client, seed)
    stop = asyncio.Event()
    body = json.dumps({"dataset_id": dataset_id, "target": "target", "model": "iris"}).encode()
    training: dict[str, object] = {"kind": "command", "command": "train", "mapping": MAPPING}
    sources = [
        await traffic.source(f"forward-{seed}-{place}", {"kind": "forward"}) for place in range(2)
    ]
    trainer = await traffic.source(f"{TRAINING}-{seed}", training)
    async with asyncio.TaskGroup() as group:
        for one in sources:
            group.create_task(traffic.stream(one, body, every_seconds, stop))
        group.create_task(traffic.stream(trainer, body, job_every_seconds, stop))
        group.create_task(traffic.read(stop))
        try:
            yield traffic
        finally:
            stop.set()
