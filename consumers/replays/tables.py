"""Replays, and what became of each message in them."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

replays = Table(
    "replays",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column(
        "kind",
        Text,
        CheckConstraint("kind IN ('dead_letters', 'requests')", name="replays_kind"),
        nullable=False,
    ),
    Column("filter", JSONB, nullable=False),
    Column("reason", Text),
    Column(
        "throttle_per_second",
        Float(53),
        CheckConstraint("throttle_per_second > 0", name="replays_throttle"),
    ),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('running', 'finished', 'canceled')", name="replays_state"),
        nullable=False,
        server_default="running",
    ),
    Column("expected", Integer),
    Column("matched", Integer, nullable=False),
    # When a worker may take up the next messages: spaced by the throttle, and what makes the turns
    # fair.
    Column(
        "due_at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")
    ),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    Column("created_by", Text, nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("finished_by", Text),
    PrimaryKeyConstraint("tenant_id", "id", name="replays_pkey"),
    Index("replays_newest", "tenant_id", "created_at", "id"),
    Index("replays_due", "due_at", postgresql_where=text("state = 'running'")),
    Index(
        "replays_of_tenant", "tenant_id", "due_at", "id", postgresql_where=text("state = 'running'")
    ),
)

# When each tenant last had a turn with a consumer's replay worker.
replay_turns = Table(
    "replay_turns",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")),
    PrimaryKeyConstraint("tenant_id", "consumer", name="replay_turns_pkey"),
)

replay_items = Table(
    "replay_items",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("replay_id", Uuid, nullable=False),
    Column("place", Integer, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("event_id", Uuid),
    Column("consumer", Text, nullable=False),
    Column(
        "state",
        Text,
        CheckConstraint(
            "state IN ('pending', 'applied', 'already_applied', 'failed_again', 'skipped')",
            name="replay_items_state",
        ),
        nullable=False,
        server_default="pending",
    ),
    Column("detail", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column(
        "ready_at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")
    ),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    Column("settled_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("tenant_id", "replay_id", "place", name="replay_items_pkey"),
    ForeignKeyConstraint(
        ["tenant_id", "replay_id"], ["replays.tenant_id", "replays.id"], "replay_items_replay"
    ),
    Index("replay_items_subject", "tenant_id", "subject_id"),
    Index("replay_items_state", "tenant_id", "replay_id", "state"),
    Index(
        "replay_items_pending",
        "tenant_id",
        "replay_id",
        "consumer",
        "place",
        postgresql_where=text("state = 'pending'"),
    ),
)
