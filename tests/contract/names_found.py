"""What the code says of every name that something outside of it holds: collected, area by area."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import get_args

from compose.cli.settings_origin import Origin
from compose.consumer_groups import READERS, VIEWS, group_of
from compose.devstack import blockers
from compose.devstack.setting_checks import Check
from compose.devstack.status import Pids, ProcessStatus, StackStatus
from compose.failpoints import POINTS
from compose.http.app import STATUS
from compose.kafka.lag import BreakerStatus, ConsumerLag, PartitionLag
from compose.kafka.partition_expansion.progress import TopicStatus as TopicStanding
from compose.metadata import ALL
from compose.retention.duty import Duty, Swept
from compose.settings import PREFIX, Settings
from compose.storage.judges import JUDGES
from compose.telemetry.catalogue import METRICS
from consumers.billing.record import UNITS, UsageRecord
from consumers.dead_letters.failure import HandlingFailure
from consumers.jobs.job import fail
from consumers.log.outcome import Rejected
from consumers.registry import CONSUMERS
from consumers.work import child, child_result, task
from consumers.work.work_item import NewWorkItem
from producers.idempotency import http as idempotency
from producers.outbox.relay import acquire_leadership, elected
from producers.registry import PRODUCERS
from producers.webhooks.endpoint_responses import DeliveryRefused
from producers.webhooks.limits.limit import LIMITS
from producers.webhooks.retention import store as webhooks
from schemas.event import schema_of
from schemas.ids import derived
from schemas.topics import PAYLOADS, TOPIC_OF, TOPICS
from schemas.usage import Meter
from tests.contract import code_strings as code

HEADER = r"(?i)^((?:ce_|x-|headrace-|webhook-|svix-|idempotency-|dead_letter_)[a-z_-]+)$"
VARIABLE = r"^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)$"
IDEMPOTENT = f"{idempotency.__name__}.IdempotencyKey"
OUTPUTS: Mapping[str, type] = {
    "status": StackStatus,
    "status process": ProcessStatus,
    "run/pids.json": Pids,
    "consumers": ConsumerLag,
    "consumers partition": PartitionLag,
    "consumers breaker": BreakerStatus,
    "topics": TopicStanding,
    "sweeper": Swept,
    "doctor check": Check,
    "doctor setting": Origin,
}


ROWS: Mapping[str, str] = {
    "status held topic": "held_topics",
    "status paused": "paused",
    "status blocked": "blocked",
    "status stopped topic": "stopped_topics",
    "status refused records": "refused_records",
}


@dataclass(frozen=True, slots=True)
class Found:
    """An area's names as the code has them; `more_allowed` where it may have others too."""

    collect: Callable[[], Iterable[str]]
    more_allowed: bool = False


def _failpoints() -> set[str]:
    alone = [(path, call.args[0]) for path, call in code.calls() if len(call.args) == 1]
    return set(POINTS) & {code.text_of(given, path) for path, given in alone}


def _metrics() -> set[str]:
    by = {f"{one.name} by {attribute}" for one in METRICS for attribute in one.attributes}
    return by | {f"{one.name} {one.kind} {one.unit}" for one in METRICS}


def _columns() -> set[str]:
    tables = [table for metadata in ALL for table in metadata.tables.values()]
    return {f"{table.name}: {column.name}" for table in tables for column in table.c}


def _codes() -> set[str]:
    children = (
        child.ChildRefusal,
        child_result.TenantRefused,
        child_result.Crashed,
        child_result.LimitExceeded,
    )
    made = (fail, *children, task.Unusable, DeliveryRefused)
    given = {text for one in made for text in code.given_to(one, "code")}
    return given | set(STATUS)


def _queues_of_consumers() -> set[str]:
    return {f"{one.name}: {queue}" for one in CONSUMERS for queue in one.queues}


def _elections() -> set[str]:
    return code.given_to(elected, "lock") | code.given_to(acquire_leadership, "lock")


def _events() -> set[str]:
    return {f"{TOPIC_OF[kind]}: {schema_of(payload)}" for kind, payload in PAYLOADS.items()}


def _meters() -> set[str]:
    return {*get_args(Meter), *(f"{meter} in {unit}" for meter, unit in UNITS.items())}


def _record_keys() -> set[str]:
    return code.given_as("record_key") | code.given_to(UsageRecord, "record_key")


def _classes() -> set[str]:
    return code.given_to(HandlingFailure, "error_class") | code.given_to(Rejected, "failure_class")


def _outputs() -> set[str]:
    of_rows = {
        f"{name}: {one}" for name, key in ROWS.items() for one in blockers.FOUND[key][0].split()
    }
    return of_rows | {
        f"{name}: {one.name}" for name, made in OUTPUTS.items() for one in fields(made)
    }


FOUND: Mapping[str, Found] = {
    "consumers": Found(lambda: (*(one.name for one in CONSUMERS), *READERS)),
    "groups": Found(
        lambda: (
            *map(group_of, READERS),
            *(group_of(f"projection.{view}", "", 7) for view in VIEWS),
        )
    ),
    "views": Found(lambda: VIEWS),
    "producers": Found(lambda: (one.name for one in PRODUCERS)),
    "queues": Found(lambda: code.given_to(NewWorkItem, "queue")),
    "queues of consumers": Found(_queues_of_consumers),
    "emitters": Found(lambda: code.given_as("by")),
    "derived ids": Found(lambda: code.all_given_to(derived)),
    "sources of events": Found(lambda: code.matching(r"^(/headrace/.*)$")),
    "locks": Found(lambda: code.matching(r"pg_\w*advisory\w*\(hashtextextended\(.*?\)\)")),
    "elections": Found(_elections),
    "topics": Found(lambda: (one.name for one in TOPICS)),
    "keys of records": Found(lambda: (f"{one.name}: {one.key}" for one in TOPICS)),
    "events": Found(_events),
    "meters": Found(_meters),
    "record keys": Found(_record_keys),
    "codes": Found(_codes),
    "dead letters": Found(_classes),
    "closed sets": Found(code.closed_sets, more_allowed=True),
    "failpoints": Found(_failpoints),
    "metrics": Found(_metrics),
    "settings": Found(lambda: (PREFIX + name.upper() for name in Settings.model_fields)),
    "environment": Found(lambda: code.matching(VARIABLE), more_allowed=True),
    "outputs": Found(_outputs),
    "keys of status": Found(lambda: blockers.KEYS),
    "keys in outputs": Found(lambda: code.dictionary_keys("compose/cli"), more_allowed=True),
    "limits": Found(lambda: (one.name for one in LIMITS)),
    "sweeps": Found(lambda: code.given_to(Duty, "name") | set(webhooks.TABLES)),
    "object keys": Found(lambda: code.matching(r"^(tenants/.*)$")),
    "kinds of objects": Found(lambda: JUDGES),
    "files": Found(lambda: code.path_parts("compose"), more_allowed=True),
    "headers": Found(lambda: code.matching(HEADER), more_allowed=True),
    "idempotent routes": Found(lambda: code.routes_with(IDEMPOTENT)),
    "roles and functions": Found(lambda: code.matching(r"\bheadrace_[a-z_]+")),
    "session settings": Found(lambda: code.matching(r"'(app\.[a-z_]+)'")),
    "columns": Found(_columns),
}
