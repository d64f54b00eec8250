"""Our own commands that the stack runs: once per start, or kept alive."""

import sys
from dataclasses import dataclass

# -P: a folder named compose where the user happens to be is not ours.
COMMAND = (sys.executable, "-P", "-m", "compose.cli")
SETUP_SECONDS = 120.0


@dataclass(frozen=True)
class SetUp:
    """One of our own commands, run to its end once per start."""

    name: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...]
    only_embedded: bool = False


@dataclass(frozen=True)
class Process:
    """One of our own processes, kept alive."""

    name: str
    arguments: tuple[str, ...]


SET_UP = (
    SetUp("roles", ("admin", "roles"), ("postgres",), only_embedded=True),
    SetUp("migrations", ("migrate",), ("roles",)),
    SetUp("topics", ("topics", "--hold"), ("kafka", "migrations")),
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
