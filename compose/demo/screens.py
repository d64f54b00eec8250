"""The demo while it runs: live in a terminal, lines in a pipe, nothing beside JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from compose.cli.output import coloured, table
from compose.cli.watching import OVER, doing, fraction
from compose.demo.flow import Entry
from compose.demo.steps import Job

BAR_WIDTH = 16


class LiveScreen:
    """One table that moves."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def step(self, text: str) -> None:
        """A line with a tick."""
        self._console.print(f"[green]✓[/] {escape(text)}", soft_wrap=True)

    def watching(self, entries: Mapping[str, Entry], jobs: Mapping[str, Job]) -> None:
        """Draw the table again."""
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        self._live.update(self._table(entries, jobs), refresh=True)

    def watched(self) -> None:
        """Leave the table as it stands."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self, entries: Mapping[str, Entry], jobs: Mapping[str, Job]) -> Table:
        shown = table("training", "by", "state", "progress", "", "seconds", right=("", "seconds"))
        for column in shown.columns:
            column.no_wrap = True
        shown.columns[2].min_width = len("finalizing")
        shown.columns[4].min_width = len("100%")
        shown.add_column("doing")  # a narrow terminal cuts this one, and no other
        for job_id, entry in entries.items():
            job, done = jobs[job_id], fraction(jobs[job_id])
            bar = ProgressBar(total=1.0, completed=done, width=BAR_WIDTH)
            at = Text(doing(job), no_wrap=True, overflow="ellipsis")
            seconds = f"{_seconds(job):.1f}"
            shown.add_row(entry.label, entry.by, coloured(job["state"]), bar, f"{done:.0%}", seconds, at)
        return shown


class LineScreen:
    """One line for each change of state."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[str, str] = {}

    def step(self, text: str) -> None:
        """A line."""
        self._console.print(f"✓ {escape(text)}", soft_wrap=True)

    def watching(self, entries: Mapping[str, Entry], jobs: Mapping[str, Job]) -> None:
        """A line for each job whose state is new."""
        for job_id, entry in entries.items():
            state, seconds = jobs[job_id]["state"], _seconds(jobs[job_id])
            if self._said.get(job_id) != state:
                self._said[job_id] = state
                self._console.print(f"  {entry.label:<14} {state:<11} {seconds:5.1f} s")

    def watched(self) -> None:
        """Nothing to put away."""


class NoScreen:
    """For JSON: nothing is shown."""

    def step(self, text: str) -> None:
        """Nothing."""

    def watching(self, entries: Mapping[str, Entry], jobs: Mapping[str, Job]) -> None:
        """Nothing."""

    def watched(self) -> None:
        """Nothing."""


def _seconds(job: Job) -> float:
    """Since it was asked for, until it was over; the API's clock may be ahead of ours."""
    ended = datetime.fromisoformat(job["updated_at"]) if job["state"] in OVER else datetime.now(UTC)
    return max(0.0, (ended - datetime.fromisoformat(job["created_at"])).total_seconds())
