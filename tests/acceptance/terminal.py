"""`headrace` as a person runs it: a process of its own, in a data directory of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-P", "-m", "compose.cli")
PROCESSES = {
    "postgres",
    "kafka",
    "api",
    "relay",
    "ingest",
    "training",
    "finalization",
    "billing",
    "projections",
    "sweeper",
}
UP_SECONDS = 200.0


@dataclass(frozen=True)
class Terminal:
    """Commands with one data directory and no other setting but `more`.

    Standard input is not a terminal.
    """

    data_dir: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str, timeout_seconds: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """One command to its end, whatever it ends with."""
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")
        }
        return subprocess.run(
            [*COMMAND, *arguments],
            env={
                **ours,
                **self.more,
                "HEADRACE_DATA_DIR": str(self.data_dir),
                "NO_COLOR": "1",
                "COLUMNS": "120",
            },
            cwd=self.data_dir.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_seconds,
        )

    def json(self, *arguments: str, timeout_seconds: float = 300) -> Any:
        """What a command that must succeed prints with --json: one JSON value on standard
        output, nothing else.
        """
        done = self.run(*arguments, "--json", timeout_seconds=timeout_seconds)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)
