"""What a stack holds back, as people read it."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from compose.cli.output import moment, number
from compose.devstack.blockers import HeldBack


def show_problems(console: Console, problems: Sequence[str]) -> None:
    """Print the steps of the start that failed, a line each."""
    for text in problems:
        console.print(f"  [red]failed at the start[/]  {escape(text)}", soft_wrap=True)


def show_held_back(console: Console, held: HeldBack | None) -> None:
    """Print a line for each blocker; nothing when there is none."""
    for line in lines(held) if held else ():
        console.print(f"  {line}", soft_wrap=True)


def lines(held: HeldBack) -> list[str]:
    """One line of markup for each blocker."""
    shown = {
        "blocked": "[red]{consumer} waits for an operator[/] since {since}: {reason}; headrace "
        "topics restore",
        "paused": "[red]{consumer} is paused[/] since {since} by {by}: {reason}",
        "held_topics": "[red]{topic} is suspended[/] since {since} by {by}: {waiting} records wait;"
        " headrace topics list",
        "stopped_topics": "[red]nothing is sent to {topic}[/] since {since}: {why}; {waiting} "
        "records wait",
        "refused_records": "[red]{records} records of {topic} are refused by Kafka[/],"
        " the first is {first_seq}: {why}; their keys wait",
    }
    found = [
        text.format(**{name: _shown(name, value) for name, value in row.items()})
        for kind, text in shown.items()
        for row in held[kind]
    ]
    if dead_letters := held["dead_letters"]:
        each = ", ".join(f"{consumer} {number(count)}" for consumer, count in dead_letters.items())
        found.append(
            f"[yellow]dead letters[/]  {number(sum(dead_letters.values()))} are parked: {each}"
        )
    return found


def _shown(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return str(value) if name == "first_seq" else number(value)
    return moment(value) if name == "since" else escape(value)
