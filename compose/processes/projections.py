"""The projections process: every view's live generation, folded from its topics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.consumer_groups import READERS, VIEWS, group_of, live_generation
from compose.failpoints import failpoints
from compose.failures import is_transient
from compose.kafka.pause_check import BreakerGate
from compose.kafka.subscription import Subscription
from compose.postgres.connections import engine
from compose.postgres.positions import Positions
from compose.processes.shutdown import deliver, until_stopped
from compose.settings import Settings
from compose.telemetry import recorders
from consumers.dead_letters.dead_letter import OPERATOR, DeadLetter
from consumers.dead_letters.parking import store as parking
from consumers.log.circuit_breaker.state import CircuitBreaker
from consumers.log.poison.guard import Guard
from consumers.log.poison.store import Subscriber
from projections.engine import Engine
from projections.ports import View
from projections.reading import consumer_of
from schemas.event import Event
from schemas.record import Record


async def park(
    tx: AsyncConnection,
    view: str,
    record: Record,
    event: Event | None,
    error_class: str,
    error: str,
) -> None:
    """Keep what a view cannot fold as a dead letter.

    Without a copy, since projections write no events.
    """
    tenant, event_id = (event.tenantid, event.id) if event else (OPERATOR, None)
    await parking.park(
        tx, [DeadLetter(record, consumer_of(view), tenant, event_id, error_class, error, 1)]
    )


@asynccontextmanager
async def projection(
    view: View, settings: Settings, alone: asyncio.Lock | None = None
) -> AsyncIterator[Callable[[], Subscription]]:
    """One view, put together: how it subscribes."""
    name, prefix = consumer_of(view.name), settings.kafka_topic_prefix
    async with AsyncExitStack() as stack:
        url = settings.postgres_url.get_secret_value()
        pipeline = engine(
            url,
            "headrace_pipeline",
            f"projection {view.name}",
            pool_size=3,
            statement_seconds=settings.statement_seconds,
        )
        stack.push_async_callback(pipeline.dispose)
        async with pipeline.begin() as tx:
            generation = await live_generation(tx, name)
        positions = Positions(pipeline, name, generation)
        fold = Engine(
            view,
            generation,
            pipeline.begin,
            positions,
            park,
            is_transient,
            CircuitBreaker(name, READERS[name].breaker),
            Guard(Subscriber(name, generation), pipeline.begin, alone or asyncio.Lock()),
            prefix,
            failpoints(),
            recorders.consumed(name),
        )
        yield partial(
            Subscription,
            settings.kafka,
            group_of(name, prefix, generation),
            [prefix + topic for topic in view.topics],
            positions,
            fold,
            max_records=500,
            client_id=f"headrace-{name}",
            gate=BreakerGate(pipeline, name),
            rebalanced=partial(recorders.rebalanced, name),
        )


async def run(settings: Settings, names: Sequence[str], stop: asyncio.Event) -> None:
    """Run views by name, all of them without one, until stopped or until one gives up."""

    alone = asyncio.Lock()

    async def one(view: View) -> None:
        async with projection(view, settings, alone) as subscribe:
            await until_stopped(stop, lambda: deliver(subscribe(), stop))

    async with asyncio.TaskGroup() as group:
        for name in names or VIEWS:
            group.create_task(until_stopped(stop, partial(one, VIEWS[name])))
