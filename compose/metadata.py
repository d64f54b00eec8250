"""Every table of ours, for Alembic to compare with the database."""

import compose.postgres.tables
import compose.storage.tables
import consumers.billing.tables
import consumers.dead_letters.tables
import consumers.finalization.tables
import consumers.ingest.row_buffers.tables
import consumers.ingest.tables
import consumers.jobs.tables
import consumers.log.circuit_breaker.tables
import consumers.log.inbox.tables
import consumers.log.poison.tables
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
    consumers.log.inbox.tables.metadata,
    consumers.dead_letters.tables.metadata,
    consumers.log.circuit_breaker.tables.metadata,
    consumers.log.poison.tables.metadata,
    consumers.replays.tables.metadata,
    consumers.ingest.tables.metadata,
    consumers.ingest.row_buffers.tables.metadata,
    consumers.jobs.tables.metadata,
    consumers.work.tables.metadata,
    consumers.finalization.tables.metadata,
    consumers.billing.tables.metadata,
    compose.postgres.tables.metadata,
    compose.storage.tables.metadata,
    projections.tables.metadata,
    projections.jobs.tables.metadata,
    projections.metric_trends.tables.metadata,
    projections.usage.tables.metadata,
]
