"""Every name that a database, topic, lock, metric or script holds, and why it stays as it is.

Code may be renamed; these may not. A new name gets a line here. A line goes only with what brings
running installations over: a migration, or a release that knows both names.
"""

from collections.abc import Mapping

from tests.contract.stored_columns import WIDE, Stored, lines, words

NARROW: Mapping[str, Stored] = {
    "consumers": Stored(
        "positions, processed, breakers and dead letters hold it: a renamed consumer reads its "
        "topics from the beginning and bills a week twice",
        words("""
billing finalization ingest projection.jobs projection.metric_trends projection.usage training
"""),
    ),
    "groups": Stored(
        "Kafka holds it: members of a renamed group read beside the old one during an upgrade",
        words("""
headrace.billing headrace.finalization headrace.ingest headrace.projection.jobs
headrace.projection.jobs.7 headrace.projection.metric_trends headrace.projection.metric_trends.7
headrace.projection.usage headrace.projection.usage.7 headrace.training
"""),
    ),
    "views": Stored(
        "projection_heads and the generations of read tables hold it: a renamed view is empty",
        words("jobs metric_trends usage"),
    ),
    "producers": Stored(
        "operators' documents and the AsyncAPI document hold it",
        words("api webhooks"),
    ),
    "queues": Stored(
        "rows of work hold it: nobody takes up what waits in a renamed queue",
        words("sealing training validation"),
    ),
    "queues of consumers": Stored(
        "rows of work hold the queue: nobody takes up what waits in one that no consumer has",
        lines("""
ingest: sealing
ingest: validation
training: training
"""),
    ),
    "emitters": Stored(
        "ids of events are derived from it: a step repeated after an upgrade gives a second event",
        words("billing finalization ingest training"),
    ),
    "derived ids": Stored(
        "ids are derived from it: the same cause would give a second job, version or dead letter",
        lines("""
* again
* batch * *
* dataset
* dead-letter **
* dead-letter ** *
* job
* stream * *
* work *
"""),
    ),
    "sources of events": Stored(
        "stored events hold it, and ce_source is compared with it",
        words("/headrace/* /headrace/api/* /headrace/hooks/*"),
    ),
    "locks": Stored(
        "two releases run side by side during an upgrade: with another key both have the lock",
        lines("""
pg_advisory_xact_lock(hashtextextended('headrace.work.' || :queue, 0))
pg_advisory_xact_lock(hashtextextended(id::text, 1))
pg_advisory_xact_lock(hashtextextended(id::text, 2))
pg_try_advisory_lock(hashtextextended('headrace.' || $1, 0))
"""),
    ),
    "elections": Stored(
        "the key of an advisory lock: with another name an old and a new process are both elected",
        lines("""
relay
sweeper
topics grow
"""),
    ),
    "topics": Stored(
        "Kafka and the rows of the log hold it: a renamed topic is empty",
        words("""
headrace.datasets headrace.dead-letters headrace.jobs headrace.models headrace.usage
headrace.webhooks
"""),
    ),
    "keys of records": Stored(
        "the order of events is by key: with another one they would overtake each other",
        lines("""
headrace.datasets: tenant:dataset
headrace.dead-letters: as it was
headrace.jobs: tenant:job
headrace.models: tenant:model
headrace.usage: tenant:meter
headrace.webhooks: tenant:source
"""),
    ),
    "events": Stored(
        "stored records hold it: with another name they cannot be read, and nobody acts on them",
        lines("""
headrace.datasets: urn:headrace:dataset.expired:v1
headrace.datasets: urn:headrace:dataset.rejected:v1
headrace.datasets: urn:headrace:dataset.submitted:v1
headrace.datasets: urn:headrace:dataset.validated:v1
headrace.jobs: urn:headrace:job.cancel_requested:v1
headrace.jobs: urn:headrace:job.canceled:v1
headrace.jobs: urn:headrace:job.expired:v1
headrace.jobs: urn:headrace:job.failed:v1
headrace.jobs: urn:headrace:job.progressed:v1
headrace.jobs: urn:headrace:job.queued:v1
headrace.jobs: urn:headrace:job.requested:v1
headrace.jobs: urn:headrace:job.started:v1
headrace.jobs: urn:headrace:job.succeeded:v1
headrace.jobs: urn:headrace:job.trained:v1
headrace.models: urn:headrace:model.registered:v1
headrace.usage: urn:headrace:usage.recorded:v1
headrace.webhooks: urn:headrace:webhook.received:v1
"""),
    ),
    "meters": Stored(
        "usage records and invoices hold it: a renamed meter begins at zero",
        lines("""
conversations
conversations in conversation
dataset_rows
dataset_rows in row
integration_calls
integration_calls in call
jobs
jobs in job
llm_tokens
llm_tokens in token
messages
messages in message
predictions
predictions in prediction
stored_byte_hours
stored_byte_hours in byte-hour
training_seconds
training_seconds in second
webhook_events
webhook_events in event
"""),
    ),
    "record keys": Stored(
        "usage records are unique by it: with another form the same effect is billed twice",
        words("dataset_rows:* jobs:* training_seconds:* webhooks:*:*:*"),
    ),
    "codes": Stored(
        "clients decide by it, and failed jobs and rejected datasets hold it",
        words("""
already_applied body_gone body_too_large body_too_slow broken changed_meanwhile cpu_limit
dataset_not_found dataset_rejected deadline empty_file event_too_large expected_required
file_damaged file_gone file_limit forbidden idempotency_key_reused idempotency_key_running internal
invalid_content_encoding invalid_cursor invalid_filter invalid_idempotency_key invalid_multipart
invalid_name invalid_options invalid_reading invalid_request invalid_secret job_ended
memory_limit method_not_allowed missing_file model_mismatch more_matched name_taken no_features
not_found not_replayable object_missing object_store_away out_of_range process_limit
quota_exceeded rate_limited result_too_large source_paused target_not_found target_unusable
task_unsuitable too_deep too_few_rows too_many_matched unauthorized unavailable
unknown_parameter unmappable unsupported_content_encoding unsupported_media_type worker_crashed
"""),
    ),
    "dead letters": Stored(
        "dead letters hold it, and their fingerprints are made of it",
        words("bug internal permanent undecodable unknown_version user_config"),
    ),
    "failpoints": Stored(
        "scripts of chaos runs name it in CRASH_AT",
        words("""
accept.repeats_noted accept.stored accept.taken door.body_kept engine.committed engine.folded
grow.added grow.drained grow.held relay.read relay.sent relay.struck restore.done restore.held
restore.listed runner.applied runner.committed work.finished work.finishing work.started
"""),
    ),
    "environment": Stored(
        "environments of running installations hold it",
        words("""
CRASH_AT HEADRACE_API_KEY HEADRACE_API_URL HEADRACE_KAFKA HEADRACE_POSTGRES_URL
HEADRACE_SUPERUSER_URL OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_METRICS_ENDPOINT
OTEL_SERVICE_NAME XDG_CACHE_HOME
"""),
    ),
    "keys of status": Stored(
        "scripts read it from `headrace status --json`",
        words("blocked dead_letters held_topics paused refused_records stopped_topics"),
    ),
    "keys in outputs": Stored(
        "scripts read it from --json outputs",
        words("""
changed checks consumer created data done dry_run from_seq positions ranges reasons records
restored settings size_bytes state step too_old topic total
"""),
    ),
    "limits": Stored(
        "tenant_limits holds it: a renamed limit no longer holds for the tenant that has it",
        words("""
api_burst_seconds api_rate_per_tenant max_webhook_bytes max_webhook_depth tenant_storage_bytes
webhook_burst_seconds webhook_rate_per_source webhook_rate_per_tenant
"""),
    ),
    "sweeps": Stored(
        "scripts read it from `headrace sweeper --json`",
        words("""
bodies idempotency_keys inbox_keys objects processed rejected_requests request_repeats requests
work
"""),
    ),
    "object keys": Stored(
        "rows and the object store hold it: files under another key are not found, or swept",
        words("""
tenants/*/datasets/*/*.csv tenants/*/datasets/*/attempts/*-*/data.csv
tenants/*/jobs/*/attempts/*-*/* tenants/*/requests/* tenants/*/requests/*/*
"""),
    ),
    "kinds of objects": Stored(
        "the sweeper judges objects by it: one of an unknown kind is never removed",
        words("datasets jobs requests"),
    ),
    "files": Stored(
        "data directories hold it: with another name a stack starts empty",
        words("""
.incoming cluster credentials.json headrace-password kafka logs objects pids.json ports.json
postgres run scratch secret-keys status.json superuser-password supervisor.lock up.log
"""),
    ),
    "headers": Stored(
        "records, providers and clients hold it",
        words("""
Headrace-Position Idempotency-Key Idempotency-Replayed ce_id ce_source ce_specversion
ce_tenantid ce_time ce_type dead_letter_attempts dead_letter_class dead_letter_consumer
dead_letter_error dead_letter_offset dead_letter_partition dead_letter_topic headrace-event-id
headrace-request-id svix-id svix-signature svix-timestamp webhook-id webhook-signature
webhook-timestamp x-github-delivery x-github-event x-request-id x-shopify-webhook-id
x-slack-request-timestamp x-slack-signature x-webhook-password
"""),
    ),
    "idempotent routes": Stored(
        "idempotency_keys holds it: a command that is repeated after an upgrade would run twice",
        lines("""
POST /v1/datasets
POST /v1/jobs
POST /v1/jobs/{job_id}/cancel
POST /v1/sources
POST /v1/sources/{source_id}/rotate-secret
"""),
    ),
    "roles and functions": Stored(
        "the database holds it: grants and older processes name it",
        words("""
headrace_add_partition headrace_add_range headrace_api headrace_clock headrace_close_tail
headrace_find_limited_api_key headrace_find_limited_source headrace_hold_storage
headrace_incarnation headrace_owner headrace_pipeline
"""),
    ),
    "session settings": Stored(
        "the policies of row security read it: with another name no row is seen",
        words("app.tenant"),
    ),
}
STORED: Mapping[str, Stored] = {**NARROW, **WIDE}
