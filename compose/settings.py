"""The settings of a process: each address and secret, from HEADRACE_* variables or a .env file."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "HEADRACE_"


def _objects(data: dict[str, Any]) -> str:
    """The object store of a data directory, as an absolute URL; `data` has the settings before
    it.
    """
    data_dir: Path = data.get("data_dir", Path(".headrace"))  # absent where it is wrong itself
    return (data_dir.absolute() / "objects").as_uri()


class Settings(BaseSettings):
    """One process's settings; `HEADRACE_KAFKA` sets `kafka`, and so on."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    data_dir: Path = Field(
        Path(".headrace"), description="Where the embedded stack keeps everything."
    )
    postgres_url: SecretStr = Field(
        SecretStr("postgresql://headrace@127.0.0.1:5432/headrace"),
        description="A login that is a member of headrace_owner, headrace_api and "
        "headrace_pipeline.",
    )
    kafka: str = Field("127.0.0.1:9092", description="Bootstrap servers, comma separated.")
    kafka_topic_prefix: str = Field(
        "", description="Put before every topic name and consumer group."
    )
    object_store: str = Field(
        default_factory=_objects,
        description="Where files of any size are: file:///DIRECTORY (default: objects in the "
        "data directory).",
    )
    api_url: str = Field(
        "http://127.0.0.1:8080", description="Where the API listens, and where the CLI finds it."
    )
    public_url: str | None = Field(
        None,
        description="Where others call the API, behind a proxy, say: in URLs of sources "
        "(default: api_url).",
    )
    api_key: SecretStr | None = Field(None, description="The key that the CLI shows to the API.")
    log_format: Literal["text", "json"] = Field("text", description="How log lines look.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged."
    )
    log_bytes: int = Field(
        64 << 20,
        ge=1 << 16,
        description="A log of the stack past this is emptied; its last lines stay beside it.",
    )
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Where processes other than the API show metrics; 0: not."
    )
    metrics_host: str = Field(
        "127.0.0.1", description="The address that metrics_port is opened on."
    )
    max_webhook_bytes: int = Field(1 << 20, description="Largest webhook body.")
    max_upload_bytes: int = Field(1 << 30, description="Largest upload of a dataset.")
    api_rate_per_tenant: float = Field(
        500.0, gt=0, description="Requests to /v1 a second of one tenant, on average."
    )
    api_burst_seconds: float = Field(
        2.0, gt=0, description="How many seconds' worth of these may come at once."
    )
    tenant_storage_bytes: int = Field(
        20 << 30,
        ge=1,
        description="Bytes of one tenant in the object store, unless it has a limit of its own.",
    )
    max_webhook_depth: int = Field(100, description="How deep a webhook's JSON may nest.")
    request_head_seconds: float = Field(
        20.0, description="How long the headers of a request may take to arrive."
    )
    request_body_seconds: float = Field(
        20.0,
        gt=0,
        description="How long the body of another request may take to arrive, and an upload pause.",
    )
    upload_bytes_per_second: float = Field(
        4096.0, gt=0, description="What an upload brings at least, on average."
    )
    max_request_bytes: int = Field(
        1 << 20, ge=1024, description="Largest body of a request that is not an upload."
    )
    max_connections: int = Field(
        800, ge=10, description="Most connections of one API process at once."
    )
    max_unfinished_bytes: int = Field(
        64 << 20,
        ge=2 << 20,
        description="Most bytes of requests that are not complete, in one API process.",
    )
    tenant_requests: int = Field(
        100, ge=1, description="Most requests of one tenant at once in one API process."
    )
    webhook_body_seconds: float = Field(
        20.0, description="How long a webhook's body may take to arrive."
    )
    webhook_rate_per_source: float = Field(
        5000.0, description="Webhooks a second of one source, on average."
    )
    webhook_rate_per_tenant: float = Field(
        10000.0, description="Webhooks a second of one tenant, on average."
    )
    webhook_burst_seconds: float = Field(
        2.0, gt=0, description="How many seconds' worth of a rate may come at once."
    )
    webhook_identity_seconds: int = Field(
        600, ge=1, description="How long an equal body without an id counts as the same."
    )
    free_disk_bytes: int = Field(
        256 << 20,
        description="With less free disk than this under PostgreSQL webhooks and commands are "
        "answered 503.",
    )
    upload_free_disk_bytes: int = Field(
        1 << 30,
        description="With less free disk than this under the object store uploads are answered "
        "503.",
    )
    postgres_data_dir: Path | None = Field(
        None,
        description="Where PostgreSQL has its data, if on this machine: free_disk_bytes is about "
        "that disk.",
    )
    unsent_bytes: int = Field(
        10 << 30,
        description="With more than this waiting for Kafka webhooks and commands are answered 503.",
    )
    secret_keys: SecretStr | None = Field(
        None,
        description="name:key pairs that seal signing secrets; the first seals, all of them "
        "unseal.",
    )
    webhook_tolerance_seconds: int = Field(
        300, description="How far a signed time may be off, both ways."
    )
    training_slots: int = Field(1, description="Training children at once in one worker process.")
    tenant_pieces: int | None = Field(
        None,
        ge=1,
        description="Most work items of one tenant at once in a work queue, over all workers "
        "(default: no limit).",
    )
    training_memory_bytes: int = Field(
        1 << 30, description="Memory of one training child, beyond its libraries."
    )
    training_seconds: int = Field(
        600,
        description="How long a training job may take from its first attempt on, all attempts "
        "together.",
    )
    queue_seconds: float = Field(
        7 * 86400,
        gt=0,
        description="How long a job may wait for a worker before it expires (default: 7 days).",
    )
    scratch_dir: Path | None = Field(
        None,
        description="Where attempts have their files while they run (default: scratch in the "
        "data directory).",
    )
    keep_inbox_keys_days: float = Field(
        35,
        ge=4,
        description="How long a webhook is known again; at least 4 days, since providers retry "
        "for three.",
    )
    keep_processed_days: float = Field(
        35,
        ge=31,
        description="How long consumers know an event again; longer than the topics keep it.",
    )
    keep_requests_days: float = Field(
        35,
        ge=8,
        description="How long requests, their repeats and large bodies are kept; longer than "
        "their topic.",
    )
    keep_rejected_days: float = Field(
        7, ge=1, description="How long deliveries that were refused are listed."
    )
    keep_work_days: float = Field(
        7, ge=1, description="How long work items that are done are kept."
    )
    keep_unneeded_objects_days: float = Field(
        1,
        ge=0.5,
        description="How long objects stay that nothing refers to; longer than any upload takes.",
    )
    sweep_seconds: float = Field(300.0, gt=0, description="Between two rounds of the sweeper.")
    partitions_ahead_days: int = Field(
        7, ge=1, description="For how many days ahead partitions are made."
    )
    log_partitions_ahead: int = Field(
        4,
        ge=2,
        description="How many partitions of the log, of 8 million events each, are made ahead.",
    )
    accept_seconds: float = Field(
        5.0,
        gt=0,
        description="How long PostgreSQL may take over a batch of webhooks or commands before "
        "they get a 503.",
    )
    api_statement_seconds: float = Field(
        8.0,
        gt=0,
        description="How long a statement of any other request may take before it is answered 503.",
    )
    statement_seconds: float = Field(
        60.0,
        gt=0,
        description="How long a statement of the relay, a consumer or a projection may take; "
        "then again.",
    )
    lease_seconds: float = Field(
        15.0, description="How long a worker keeps a work item without a heartbeat."
    )

    @property
    def called_at(self) -> str:
        """Where others call the API, without a slash at the end."""
        return (self.public_url or self.api_url).rstrip("/")

    @property
    def scratch_root(self) -> Path:
        """Where attempts have their files."""
        return self.scratch_dir or self.data_dir.absolute() / "scratch"

    @property
    def postgres_disk(self) -> Path | None:
        """A folder on the disk of Postgres, None where that is another machine's."""
        if self.postgres_data_dir is not None:
            return self.postgres_data_dir
        host = urlsplit(self.postgres_url.get_secret_value()).hostname
        return self.data_dir.absolute() if host in (None, "localhost", "127.0.0.1", "::1") else None
