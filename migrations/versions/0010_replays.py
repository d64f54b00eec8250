"""Dead letters with all that is known of them, and replays with an outcome for each message."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
ALTER TABLE dead_letters
    ADD COLUMN consumer_version TEXT,
    ADD COLUMN event_type TEXT,
    ADD COLUMN trace_id TEXT,
    ADD COLUMN stack TEXT,
    ADD COLUMN last_failed_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    ADD COLUMN discarded_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN discarded_by TEXT,
    ADD COLUMN discard_reason TEXT,
    DROP CONSTRAINT dead_letters_state,
    ADD CONSTRAINT dead_letters_state CHECK (state IN ('parked', 'replaying', 'applied', 'discarded'));

UPDATE dead_letters SET last_failed_at = created_at;

CREATE INDEX dead_letters_newest ON dead_letters (tenant_id, created_at, id);

CREATE INDEX dead_letters_fingerprint ON dead_letters (tenant_id, fingerprint, created_at);

CREATE TABLE replays (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT replays_kind CHECK (kind IN ('dead_letters', 'requests')),
    filter JSONB NOT NULL,
    reason TEXT,
    throttle_per_second FLOAT(53) CONSTRAINT replays_throttle CHECK (throttle_per_second > 0),
    state TEXT DEFAULT 'running' NOT NULL
        CONSTRAINT replays_state CHECK (state IN ('running', 'finished', 'canceled')),
    expected INTEGER,
    matched INTEGER NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    created_by TEXT NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    finished_by TEXT,
    CONSTRAINT replays_pkey PRIMARY KEY (tenant_id, id)
);

CREATE INDEX replays_newest ON replays (tenant_id, created_at, id);

-- What the lanes ask for all the time: what runs, the longest waiting first.
CREATE INDEX replays_due ON replays (due_at) WHERE state = 'running';

CREATE TABLE replay_items (
    tenant_id UUID NOT NULL,
    replay_id UUID NOT NULL,
    place INTEGER NOT NULL,
    subject_id UUID NOT NULL,
    event_id UUID,
    consumer TEXT NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL CONSTRAINT replay_items_state
        CHECK (state IN ('pending', 'applied', 'already_applied', 'failed_again', 'skipped')),
    detail TEXT,
    attempts INTEGER DEFAULT '0' NOT NULL,
    ready_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT replay_items_pkey PRIMARY KEY (tenant_id, replay_id, place),
    CONSTRAINT replay_items_replay FOREIGN KEY(tenant_id, replay_id) REFERENCES replays (tenant_id, id)
);

CREATE INDEX replay_items_subject ON replay_items (tenant_id, subject_id);

CREATE INDEX replay_items_state ON replay_items (tenant_id, replay_id, state);

CREATE INDEX replay_items_pending ON replay_items (tenant_id, replay_id, consumer, place) WHERE state = 'pending';

SELECT headrace_protect('replays');

SELECT headrace_protect('replay_items');

-- To discard and to replay are decided at once, by whoever asks.
GRANT UPDATE ON dead_letters TO headrace_api;

GRANT INSERT, UPDATE ON replays TO headrace_api;

GRANT INSERT, UPDATE ON replay_items TO headrace_api;
"""

DOWN = """
DROP TABLE replay_items, replays;

REVOKE UPDATE ON dead_letters FROM headrace_api;

UPDATE dead_letters SET state = CASE state WHEN 'replaying' THEN 'parked' ELSE 'discarded' END
    WHERE state IN ('replaying', 'applied');

DROP INDEX dead_letters_newest;

DROP INDEX dead_letters_fingerprint;

ALTER TABLE dead_letters
    DROP COLUMN consumer_version,
    DROP COLUMN event_type,
    DROP COLUMN trace_id,
    DROP COLUMN stack,
    DROP COLUMN last_failed_at,
    DROP COLUMN discarded_at,
    DROP COLUMN discarded_by,
    DROP COLUMN discard_reason,
    DROP CONSTRAINT dead_letters_state,
    ADD CONSTRAINT dead_letters_state CHECK (state IN ('parked', 'discarded'));
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
