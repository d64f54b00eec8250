"""The longer half of the stored names: columns, outputs, settings, values of columns."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stored:
    """Names of one area, and what a renamed one would do to a running installation."""

    why: str
    names: frozenset[str]


def words(text: str) -> frozenset[str]:
    """Names without spaces."""
    return frozenset(text.split())


def lines(text: str) -> frozenset[str]:
    """Names of any form, one a line."""
    return frozenset(text.strip().splitlines())


def grouped(text: str) -> frozenset[str]:
    """`group: name name` gives `group: name` for each."""
    pairs = [line.partition(": ") for line in text.strip().splitlines()]
    return frozenset(f"{group}: {name}" for group, _, names in pairs for name in names.split())


WIDE: Mapping[str, Stored] = {
    "outputs": Stored(
        "scripts read it from --json outputs and from the files in run/",
        grouped("""
consumers breaker: failing_tenants max_ratio max_run recent recent_failures window
consumers partition: end lag partition position topic
consumers: breaker by lag last_progress name partitions reason since state
doctor check: advice detail name ok
doctor setting: description name origin value
run/pids.json: children supervisor
status blocked: consumer reason since
status held topic: by since topic waiting
status paused: by consumer reason since
status process: name pid restarts state
status refused records: first_seq records topic why
status stopped topic: since topic waiting why
status: api_url data_dir kafka object_store postgres_url problems processes state supervisor_pid
sweeper: before error keep_days name rows what
topics: behind held_by held_for held_since partitions spread_over topic waiting
"""),
    ),
    "closed sets": Stored(
        "columns and answers hold these values: clients and the database know no other",
        lines("""
accepted canceled expired failed finalizing queued running succeeded
accepted duplicate rejected
all batch
already_applied applied failed_again pending skipped
already_applied applied failed_again skipped
applied discarded parked replaying
applied parked
base64 hex
base64 reference text
basic bearer header
boolean integer number text
classification regression
cpu_limit deadline file_limit memory_limit process_limit
day month
dead_letters requests
debug error info warning
decorated exponents far filled long plus unfit words zeros
error warning
fast standard
github hmac password shopify slack standard_webhooks stripe
headrace_api headrace_owner headrace_pipeline
infrastructure internal quota user_config user_data
internal user_config user_data
json text
milliseconds rfc3339 seconds
quota user_config user_data
rejected submitted validated
restarting running starting stopped
running starting stopped stopping
sha1 sha256 sha512
user_config user_data
"""),
    ),
    "settings": Stored(
        "environments hold it: a renamed setting falls back to its default without a word",
        words("""
HEADRACE_ACCEPT_SECONDS HEADRACE_API_BURST_SECONDS HEADRACE_API_KEY HEADRACE_API_RATE_PER_TENANT
HEADRACE_API_STATEMENT_SECONDS HEADRACE_API_URL HEADRACE_DATA_DIR HEADRACE_FREE_DISK_BYTES
HEADRACE_KAFKA HEADRACE_KAFKA_TOPIC_PREFIX HEADRACE_KEEP_INBOX_KEYS_DAYS
HEADRACE_KEEP_PROCESSED_DAYS HEADRACE_KEEP_REJECTED_DAYS HEADRACE_KEEP_REQUESTS_DAYS
HEADRACE_KEEP_UNNEEDED_OBJECTS_DAYS HEADRACE_KEEP_WORK_DAYS HEADRACE_LEASE_SECONDS
HEADRACE_LOG_BYTES HEADRACE_LOG_FORMAT HEADRACE_LOG_LEVEL HEADRACE_LOG_PARTITIONS_AHEAD
HEADRACE_MAX_CONNECTIONS HEADRACE_MAX_REQUEST_BYTES HEADRACE_MAX_UNFINISHED_BYTES
HEADRACE_MAX_UPLOAD_BYTES HEADRACE_MAX_WEBHOOK_BYTES HEADRACE_MAX_WEBHOOK_DEPTH
HEADRACE_METRICS_HOST HEADRACE_METRICS_PORT HEADRACE_OBJECT_STORE HEADRACE_PARTITIONS_AHEAD_DAYS
HEADRACE_POSTGRES_DATA_DIR HEADRACE_POSTGRES_URL HEADRACE_PUBLIC_URL HEADRACE_QUEUE_SECONDS
HEADRACE_REQUEST_BODY_SECONDS HEADRACE_REQUEST_HEAD_SECONDS HEADRACE_SCRATCH_DIR
HEADRACE_SECRET_KEYS HEADRACE_STATEMENT_SECONDS HEADRACE_SWEEP_SECONDS HEADRACE_TENANT_PIECES
HEADRACE_TENANT_REQUESTS HEADRACE_TENANT_STORAGE_BYTES HEADRACE_TRAINING_MEMORY_BYTES
HEADRACE_TRAINING_SECONDS HEADRACE_TRAINING_SLOTS HEADRACE_UNSENT_BYTES
HEADRACE_UPLOAD_BYTES_PER_SECOND HEADRACE_UPLOAD_FREE_DISK_BYTES HEADRACE_WEBHOOK_BODY_SECONDS
HEADRACE_WEBHOOK_BURST_SECONDS HEADRACE_WEBHOOK_IDENTITY_SECONDS
HEADRACE_WEBHOOK_RATE_PER_SOURCE HEADRACE_WEBHOOK_RATE_PER_TENANT
HEADRACE_WEBHOOK_TOLERANCE_SECONDS
"""),
    ),
    "metrics": Stored(
        "dashboards and alerts hold it",
        lines("""
headrace.consumer.dead_letters by error.type
headrace.consumer.dead_letters by headrace.consumer
headrace.consumer.dead_letters counter {event}
headrace.consumer.events by headrace.consumer
headrace.consumer.events by headrace.outcome
headrace.consumer.events counter {event}
headrace.consumer.lag by headrace.consumer
headrace.consumer.lag by messaging.destination.name
headrace.consumer.lag by messaging.destination.partition.id
headrace.consumer.lag gauge {event}
headrace.consumer.oldest.age by headrace.consumer
headrace.consumer.oldest.age gauge s
headrace.consumer.paused by headrace.consumer
headrace.consumer.paused gauge 1
headrace.consumer.progress.age by headrace.consumer
headrace.consumer.progress.age gauge s
headrace.consumer.rebalances by headrace.consumer
headrace.consumer.rebalances counter {rebalance}
headrace.consumer.tenant.lag by headrace.consumer
headrace.consumer.tenant.lag by headrace.tenant
headrace.consumer.tenant.lag gauge {event}
headrace.dead_letters by error.type
headrace.dead_letters by headrace.consumer
headrace.dead_letters gauge {event}
headrace.dead_letters.age by error.type
headrace.dead_letters.age by headrace.consumer
headrace.dead_letters.age gauge s
headrace.office.elections by headrace.office
headrace.office.elections counter {election}
headrace.outbox.age gauge s
headrace.outbox.records gauge {record}
headrace.outbox.refused gauge {record}
headrace.outbox.size gauge By
headrace.relay.records counter {record}
headrace.relay.unconfirmed counter {round}
headrace.replay.messages by headrace.consumer
headrace.replay.messages by headrace.outcome
headrace.replay.messages counter {message}
headrace.replay.open gauge {replay}
headrace.replay.waiting by headrace.consumer
headrace.replay.waiting gauge {message}
headrace.topic.held by messaging.destination.name
headrace.topic.held gauge 1
headrace.topic.stopped by messaging.destination.name
headrace.topic.stopped gauge 1
headrace.webhook.duration by headrace.outcome
headrace.webhook.duration histogram s
headrace.webhooks by headrace.outcome
headrace.webhooks counter {webhook}
headrace.work.lease.losses by headrace.queue
headrace.work.lease.losses counter {lease}
headrace.work.lease.takeovers by headrace.queue
headrace.work.lease.takeovers counter {lease}
headrace.work.oldest.age by headrace.queue
headrace.work.oldest.age gauge s
headrace.work.pieces by headrace.queue
headrace.work.pieces by headrace.state
headrace.work.pieces gauge {piece}
"""),
    ),
    "columns": Stored(
        "the database holds it: during an upgrade older processes read and write it",
        grouped("""
api_keys: created_at hash id name revoked_at tenant_id
blocked_partitions: consumer generation partition reason since topic
consumer_breakers: allowed changed_by consumer reason recent since state tenants
consumer_starts: consumer generation next partition starts topic
dataset_names: name reading reading_at tenant_id versions
datasets: aggregate_version columns created_at findings id name object_key profile reader
datasets: reading reason rows sha256 size_bytes state tenant_id updated_at version
dead_letters: attempts consumer consumer_version created_at discard_reason discarded_at
dead_letters: discarded_by error error_class event_id event_type fingerprint headers id
dead_letters: incarnation key last_failed_at offset partition stack state tenant_id topic
dead_letters: trace_id value
events: aggregate_id correlation_id headers id is_copy key seq tenant_id time topic type value
events: version
idempotency_keys: body body_hash claimed_at expires_at headers key_hash leased_until
idempotency_keys: principal_id route seed status tenant_id token
inbox_keys: body_hash event_id key_hash request_id seen_at source_id tenant_id unsigned_id
job_transitions: from_state to_state
jobs: aggregate_version attempt cancel_reason cause_id correlation_id created_at dataset_id
jobs: failure id kind model options state target tenant_id traceparent updated_at
kafka_cluster: cluster_id incarnation
model_versions: artifacts baseline created_at dataset_id dataset_version details job_id metrics
model_versions: name plan target task tenant_id version
models: created_at name tenant_id versions
outbox: seq size_bytes
outbox_held: refused_at refused_key refused_why seq size_bytes topic
partition_ends: confirmed_offset partition seq topic went_back_at
positions: consumer generation last_event_id last_event_offset next partition topic updated_at
processed: consumer event_id
projection_heads: live view
read_job_timeline: data event_id generation job_id tenant_id time type version
read_jobs: created_at document generation id kind model state tenant_id updated_at version
read_metric_points: baseline dataset_id dataset_version generation job_id metric model task
read_metric_points: tenant_id time value version
read_usage_days: day generation meter records tenant_id unit value
read_usage_records: generation period record_key tenant_id
rejected_requests: content_type id reason received_at size_bytes source_id tenant_id
replay_items: attempts consumer created_at detail event_id place ready_at replay_id settled_at
replay_items: state subject_id tenant_id
replay_turns: at consumer tenant_id
replays: created_at created_by due_at expected filter finished_at finished_by id kind matched
replays: reason state tenant_id throttle_per_second
request_repeats: id received_at request_id same_body tenant_id
requests: body_hash body_key content_type event_id external_id headers id possible_replay
requests: received_at size_bytes source_id tenant_id
source_mappings: action created_at source_id tenant_id version
source_secrets: created_at expires_at id sealed source_id tenant_id
sources: action created_at id mapping_version name options paused scheme tenant_id updated_at
sources: version
stored_objects: created_at is_needed object_key size_bytes tenant_id
stream_batches: after cause_id columns correlation_id cut_at dataset dataset_id drop_through id
stream_batches: mapping_version number sealed_at stream_id tenant_id through traceparent train
stream_rows: cells event_id kinds number ordinal stream_id tenant_id
streams: batches cause_id columns correlation_id created_at cut dataset id is_current kept_after
streams: mapping_version opened_at seal seal_at sealed shape source_id taken tenant_id
streams: traceparent train
suspect_records: at consumer deaths generation offset ordered_by partition reason topic
tenant_limits: name tenant_id updated_at value
tenant_storage: tenant_id used_bytes
tenants: created_at name tenant_id
topic_layouts: held_by held_for held_since partitions settled stopped_since stopped_why topic
usage_records: at event_ids meter period quantity record_key subject tenant_id unit written_at
work: attempt cancel_reason cause_id claimed_at correlation_id created_at deadline id
work: lease_until max_attempts payload priority queue ready_at run_seconds state subject_id
work: tenant_id token traceparent
"""),
    ),
}
