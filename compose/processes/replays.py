"""The composition of a consumer's replay worker: what it needs of the log and of the requests."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.telemetry import recorders
from consumers.ingest.mapping import job_of
from consumers.ingest.row_buffers import store as streams
from consumers.log.runner import Runner
from consumers.registry import INGEST
from consumers.replays.replay import RequestChoice, Target
from consumers.replays.worker.worker import ReplayWorker
from producers.outbox import store as log
from producers.webhooks import store as webhooks
from schemas.event import Event
from schemas.log import unpack_headers
from schemas.record import Record
from schemas.topics import JOBS, WEBHOOKS
from schemas.webhooks import WebhookReceived


def lane_of(runner: Runner) -> ReplayWorker:
    """The replay worker beside a runner, with the runner's own handler and rules."""
    return ReplayWorker(
        runner.consumer,
        runner.wanted,
        runner.handle,
        runner.begin,
        runner.outbox,
        runner.classify,
        published,
        known,
        runner.topic_prefix,
        recorders.replayed(runner.consumer),
    )


async def published(tx: AsyncConnection, tenant: UUID, event_id: UUID) -> Record | None:
    """The record of a webhook's event, from the log."""
    row = await log.first_of_chain(tx, tenant, WEBHOOKS.name, event_id)
    if row is None:
        return None
    return Record(WEBHOOKS.name, 0, row.seq, row.key, row.value, unpack_headers(row.headers), 0)


async def known(tx: AsyncConnection, event: Event, failed_before: bool) -> bool:
    """Whether a webhook has started its job or given its rows already, under whatever mapping that
    was.

    What failed before gave no rows. All other events are known by what their handlers find.
    """
    if not isinstance(event.data, WebhookReceived):
        return False
    if await log.has_any(tx, event.tenantid, JOBS.name, job_of(event.id)):
        return True
    return not failed_before and await streams.may_have_taken(
        tx, event.tenantid, event.data.source_id, event.id
    )


async def requests(tx: AsyncConnection, choice: RequestChoice, limit: int) -> Sequence[Target]:
    """The requests that a replay selects; one that was rejected has no event."""
    rows = await webhooks.matching(
        tx,
        {
            "ids": None if choice.ids is None else list(choice.ids),
            "source": choice.source_id,
            "outcome": choice.outcome,
            "since": choice.since,
            "until": choice.until,
            "limit": limit,
        },
    )
    return [
        Target(row["id"], row["event_id"], INGEST.name, _refused(row["reason"])) for row in rows
    ]


def _refused(reason: str | None) -> str | None:
    return None if reason is None else f"it was refused and has no event: {reason}"
