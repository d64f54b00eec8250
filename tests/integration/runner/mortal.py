"""A consumer's process that one record kills, as a segmentation fault or the kernel would:
nothing of it can say so.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.clock import Clock
from compose.failures import classify
from compose.postgres.connections import engine
from compose.postgres.positions import Positions
from compose.processes.replays import lane_of
from consumers.log.outcome import Applied, Outcome
from consumers.log.runner import Runner
from consumers.registry import BY_NAME
from producers.outbox.append import append
from schemas.event import Event
from schemas.record import PollBatch

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["tests.integration.runner.mortal"]
)  # so that a start costs no imports


@dataclass(frozen=True)
class Life:
    """What a process does until it dies or is done: deliver these again and again from its
    position.
    """

    postgres_url: str
    consumer: str
    delivery: PollBatch
    deadly: frozenset[UUID] = field(default_factory=frozenset)
    replays: bool = False
    """It takes up replays instead."""


def died(life: Life) -> bool:
    """Run a process; whether it died of what it had in hand."""
    process = CONTEXT.Process(target=_live, args=(life,))
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0


def _live(life: Life) -> None:
    asyncio.run(_deliver(life))


async def _deliver(life: Life) -> None:
    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        assert tx is not None
        if any(event.id in life.deadly for event in events):
            os.kill(os.getpid(), signal.SIGKILL)
        return [Applied() for _ in events]

    pipeline = engine(life.postgres_url, "headrace_pipeline", "mortal", pool_size=2)
    positions = Positions(pipeline, life.consumer)
    known = BY_NAME[life.consumer]
    runner = Runner(
        life.consumer,
        known.wanted,
        handle,
        pipeline.begin,
        positions,
        append,
        classify,
        Clock(),
        limits=known.breaker,
    )
    if life.replays:
        lane = lane_of(runner)
        while not await lane.round():
            pass
    else:
        await _once(life, runner, positions)
    await pipeline.dispose()


async def _once(life: Life, runner: Runner, positions: Positions) -> None:
    at = await positions.read([(span.topic, span.partition) for span in life.delivery.spans])
    spans = [
        replace(one, start=at.get((one.topic, one.partition), one.start))
        for one in life.delivery.spans
    ]
    left = {(one.topic, one.partition): one.start for one in spans if one.start < one.next}
    records = [
        one
        for one in life.delivery.records
        if one.offset >= left.get((one.topic, one.partition), 1 << 62)
    ]
    if left:
        open_spans = tuple(one for one in spans if one.start < one.next)
        assert await runner(PollBatch(tuple(records), open_spans)) is True
