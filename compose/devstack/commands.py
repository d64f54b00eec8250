"""Our own commands that the stack runs: once per start, or kept alive."""

import sys
from dataclasses import dataclass

# -P: a folder named compose where the user happens to be is not ours.
COMMAND = (sys.executable, "-P", "-m", "compose.cli")
SETUP_SECONDS = 120.0
RESTORE_SECONDS = 3600.0  # how long a Kafka that lost all of a large log may take


@dataclass(frozen=True)
class SetUp:
    """One of our own commands, run to its end once per start.

    `own_kafka` are further arguments where Kafka is embedded. What an optional one cannot do, the
    API does without.
    """

    name: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...]
    only_embedded: bool = False
    own_kafka: tuple[str, ...] = ()
    is_optional: bool = False
    most_seconds: float = SETUP_SECONDS


@dataclass(frozen=True)
class Process:
    """One of our own processes, kept alive."""

    name: str
    arguments: tuple[str, ...]


SET_UP = (
    SetUp("roles", ("admin", "roles"), ("postgres",), only_embedded=True),
    SetUp("migrations", ("migrate",), ("roles",)),
    SetUp(
        "topics",
        ("topics", "--hold"),
        ("kafka", "migrations"),
        own_kafka=("--restore",),
        is_optional=True,
        most_seconds=RESTORE_SECONDS,
    ),
    SetUp("tenant", ("admin", "bootstrap"), ("migrations",)),
)
PROCESSES = (
    Process("api", ("api",)),
    Process("relay", ("relay",)),
    Process("ingest", ("worker", "ingest")),
    Process("training", ("worker", "training")),
    Process("finalization", ("worker", "finalization")),
    Process("billing", ("worker", "billing")),
    Process("projections", ("projections",)),
    Process("sweeper", ("sweeper",)),
)
