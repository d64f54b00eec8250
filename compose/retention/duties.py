"""Every duty of the sweeper, in the order of a round, with what each needs of the others."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from compose.retention.duty import Duty, of_rows
from compose.settings import Settings
from compose.storage.judges import JUDGES
from compose.storage.metered import MeteredObjects
from compose.storage.unneeded import Unneeded
from consumers.dead_letters.parking import store as parking
from consumers.work import store as work
from producers.idempotency import store as idempotency
from producers.outbox.ranges import Ranges
from producers.webhooks.retention import store as webhooks
from producers.webhooks.retention.bodies import Bodies
from producers.webhooks.retention.days import Days
from schemas.ports import Transactions


def duties(
    settings: Settings, owner: Transactions, pipeline: Transactions, objects: MeteredObjects
) -> tuple[list[Duty], list[Days | Ranges]]:
    """The duties, and the tables whose coming partitions are made.

    These are the owner's, rows the pipeline's.
    """

    async def needed(events: Sequence[UUID]) -> set[UUID]:
        if not events:
            return set()
        async with pipeline() as tx:
            return await parking.open_events(tx, events)

    days = {
        table: Days(table, owner, needed, settings.partitions_ahead_days)
        for table in webhooks.TABLES
    }
    had = Days("processed", owner, needed, settings.partitions_ahead_days, key="event_id")
    unneeded = Unneeded(objects, pipeline, JUDGES)
    bodies = Bodies(objects, pipeline, needed)
    keys = of_rows(pipeline, webhooks.expire_keys, webhooks.expired_keys)
    refused = of_rows(pipeline, webhooks.expire_rejected, webhooks.expired_rejected)
    answers = of_rows(pipeline, idempotency.expire, idempotency.expired)
    items = of_rows(pipeline, work.expire, work.expired)
    requests, rejected = (
        timedelta(days=settings.keep_requests_days),
        timedelta(days=settings.keep_rejected_days),
    )
    known, processed = (
        timedelta(days=settings.keep_inbox_keys_days),
        timedelta(days=settings.keep_processed_days),
    )
    done, loose = (
        timedelta(days=settings.keep_work_days),
        timedelta(days=settings.keep_unneeded_objects_days),
    )
    # Bodies before their requests: a body without a row would be found by its folder, a row without
    # a body by nobody.
    listed = [
        Duty("inbox_keys", "identities of webhooks", known, 1000, 0.05, *keys),
        Duty(
            "processed",
            "events that consumers have applied, by day",
            processed,
            1000,
            0.05,
            had.sweep,
            had.due,
        ),
        Duty("rejected_requests", "refused deliveries", rejected, 1000, 0.05, *refused),
        Duty(
            "idempotency_keys", "answers to repeated commands", timedelta(0), 1000, 0.05, *answers
        ),
        Duty("work", "work items that are done", done, 500, 0.05, *items),
        Duty(
            "bodies",
            "large webhook bodies in the object store",
            requests,
            200,
            0.05,
            bodies.sweep,
            bodies.due,
        ),
        *(
            Duty(table, what, keep, 1000, 0.05, days[table].sweep, days[table].due)
            for table, what, keep in (
                ("requests", "accepted requests, by day", requests),
                ("request_repeats", "repeats of requests, by day", requests),
            )
        ),
        Duty(
            "objects", "objects that nobody needs", loose, 200, 0.05, unneeded.sweep, unneeded.due
        ),
    ]
    return listed, [Ranges(owner, settings.log_partitions_ahead), had, *days.values()]
