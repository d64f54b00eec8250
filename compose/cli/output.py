"""What a terminal shows: tables for people, JSON for scripts."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

AsJson = Annotated[
    bool, typer.Option("--json", help="Print the API's JSON on standard output, nothing else.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Where the stack keeps everything (default: HEADRACE_DATA_DIR)."
    ),
]
OperatedDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="The stack's directory, unless HEADRACE_POSTGRES_URL is set."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many, newest first.")]

PIPED_WIDTH = 200
LEVELS = "▁▂▃▄▅▆▇█"
COLOURS = {
    "succeeded": "green",
    "validated": "green",
    "failed": "red",
    "rejected": "red",
    "expired": "red",
    "canceled": "yellow",
    "running": "cyan",
    "finalizing": "cyan",
}
LARGE = 10


def terminal(*, stderr: bool = False) -> Console:
    """Where people read; into a pipe, lines are not cut at 80 columns."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


def print_json(value: Any) -> None:
    """Print the value as one indented JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_answer(answer: Any, as_json: bool, shown: str | Callable[[Any], None]) -> None:
    """An answer as JSON, or as people read it: a line, or what `shown` prints of it."""
    if as_json:
        print_json(answer)
    elif isinstance(shown, str):
        terminal().print(shown)
    else:
        shown(answer)


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns in `right` hold numbers, a column named `id` is never wrapped."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        made.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name == "id" or name in right,
        )
    return made


def show_list(answer: Any, as_json: bool, columns: Table, cells: Any, empty: str) -> None:
    """A list answer: as it is, or a row for each by `cells`; `empty` says what to do when there
    is none.
    """
    if as_json:
        print_json(answer)
        return
    if not answer["data"]:
        terminal().print(empty)
        return
    for row in answer["data"]:
        columns.add_row(*cells(row))
    terminal().print(columns)


def show_fields(fields: dict[str, Any]) -> None:
    """Name and value, a line each; what is None is left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, value in fields.items():
        if value is not None:
            grid.add_row(
                f"[bold]{escape(name)}[/]", value if isinstance(value, Table) else str(value)
            )
    terminal().print(grid)


def show_warnings(answer: Any) -> None:
    """What an answer warns of, a line each, where people read."""
    for one in answer.get("warnings") or ():
        terminal(stderr=True).print(f"[yellow]warning:[/] {escape(one)}")


def number(value: float | None) -> str:
    """A figure at a width that tables can hold."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if abs(value) < LARGE else f"{value:,.2f}"


def moment(text: str | None) -> str:
    """A time of the API, to the second, UTC."""
    return "-" if text is None else f"{text[:19].replace('T', ' ')}Z"


def coloured(state: str) -> str:
    """A state in its colour."""
    colour = COLOURS.get(state)
    return f"[{colour}]{escape(state)}[/]" if colour else escape(state)


def sparkline(values: Sequence[float]) -> str:
    """Values as small bars, from the lowest to the highest; equal ones stand at half height."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if high == low:
        return LEVELS[3] * len(values)
    return "".join(
        LEVELS[round((value - low) / (high - low) * (len(LEVELS) - 1))] for value in values
    )
