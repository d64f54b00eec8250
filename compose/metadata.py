"""Every table of ours, for Alembic to compare with the database."""

import compose.adapters.tables
import compose.storage.tables
import consumers.billing.tables
import consumers.dead_letters.tables
import consumers.finalization.tables
import consumers.inbox.tables
import consumers.ingest.streams.tables
import consumers.ingest.tables
import consumers.jobs.tables
import consumers.pausing.tables
import consumers.poison.tables
import consumers.replays.tables
import consumers.work.tables
import producers.access.tables
import producers.idempotency.tables
import producers.outbox.tables
import producers.webhooks.tables
import projections.jobs.tables
import projections.metric_trends.tables
import projections.tables
import projections.usage.tables

ALL = [
    producers.access.tables.metadata,
    producers.idempotency.tables.metadata,
    producers.outbox.tables.metadata,
    producers.webhooks.tables.metadata,
    consumers.inbox.tables.metadata,
    consumers.dead_letters.tables.metadata,
    consumers.pausing.tables.metadata,
    consumers.poison.tables.metadata,
    consumers.replays.tables.metadata,
    consumers.ingest.tables.metadata,
    consumers.ingest.streams.tables.metadata,
    consumers.jobs.tables.metadata,
    consumers.work.tables.metadata,
    consumers.finalization.tables.metadata,
    consumers.billing.tables.metadata,
    compose.adapters.tables.metadata,
    compose.storage.tables.metadata,
    projections.tables.metadata,
    projections.jobs.tables.metadata,
    projections.metric_trends.tables.metadata,
    projections.usage.tables.metadata,
]
