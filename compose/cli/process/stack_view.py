"""How the state of the embedded stack is printed."""

import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compose.cli.connection import without_password
from compose.cli.process.blockers_view import show_held_back, show_problems
from compose.devstack.blockers import KEYS, HeldBack
from compose.devstack.status import StackStatus
from compose.devstack.task_graph import Done

STATE_COLOURS = {
    "running": "green",
    "starting": "yellow",
    "restarting": "yellow",
    "stopping": "yellow",
}


def show_step(console: Console, done: Done) -> None:
    """One line for a step of the start."""
    mark = "[green]✓[/]" if done.ok else "[red]✗[/]"
    console.print(
        f"{mark} {done.name:<11} [dim]{done.seconds:5.1f} s[/]  {escape(done.detail)}",
        soft_wrap=True,
    )


def show_running(
    console: Console,
    running: StackStatus,
    held: HeldBack | None,
    as_json: bool,
    already: bool = False,
) -> None:
    """Where a stack that runs listens, what failed at its start, and what waits."""
    if as_json:
        print_status(running, held)
        sys.stdout.flush()
        return
    if already:
        console.print(f"it runs already, in {escape(running.data_dir or '')}")
    show_addresses(console, running)
    show_problems(console, running.problems)
    show_held_back(console, held)


def print_status(found: StackStatus, held: HeldBack | None) -> None:
    """The state as one JSON object, without the password."""
    shown = {
        **asdict(found),
        "postgres_url": found.postgres_url and without_password(found.postgres_url),
    }
    print_json({**shown, **(held or dict.fromkeys(KEYS))})


def show_addresses(console: Console, found: StackStatus) -> None:
    """Where the API and the servers listen."""
    console.print(f"  API           {escape(found.api_url or '')}")
    console.print(f"  Kafka         {escape(found.kafka or '')}")
    console.print(f"  PostgreSQL    {escape(without_password(found.postgres_url or ''))}")
    console.print(f"  object store  {escape(found.object_store or '')}")


def process_table(found: StackStatus) -> Table:
    """Every process with its state and its restarts."""
    table = Table("process", "pid", "state", "restarts", box=None, padding=(0, 2))
    for process in found.processes:
        table.add_row(
            process.name, str(process.pid or "-"), coloured(process.state), str(process.restarts)
        )
    return table


def coloured(state: str) -> str:
    """A state in its colour."""
    return f"[{STATE_COLOURS.get(state, 'red')}]{state}[/]"


def print_json(value: object) -> None:
    """One JSON value on standard output."""
    print(json.dumps(value, indent=2))
