"""The permissions of the API, each once: every route names the one that it needs."""

from enum import StrEnum


class Permission(StrEnum):
    """What a key may do; today each key has all of them."""

    SOURCES_READ = "sources:read"
    SOURCES_WRITE = "sources:write"
    REQUESTS_READ = "requests:read"
    EVENTS_READ = "events:read"
    LIMITS_READ = "limits:read"
    DATASETS_READ = "datasets:read"
    DATASETS_WRITE = "datasets:write"
    STREAMS_READ = "streams:read"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    MODELS_READ = "models:read"
    METRICS_READ = "metrics:read"
    USAGE_READ = "usage:read"
    DEAD_LETTERS_READ = "dead_letters:read"
    DEAD_LETTERS_WRITE = "dead_letters:write"
    REPLAYS_READ = "replays:read"
    REPLAYS_WRITE = "replays:write"


ALL = frozenset(Permission)
