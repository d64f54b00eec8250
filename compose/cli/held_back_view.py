"""What a stack holds back, as people read it."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from compose.cli.output import moment, number
from compose.devstack.held_back import HeldBack


def show_problems(console: Console, problems: Sequence[str]) -> None:
    """Print the steps of the start that failed, a line each."""
    for text in problems:
        console.print(f"  [red]failed at the start[/]  {escape(text)}", soft_wrap=True)


def show_held_back(console: Console, held: HeldBack | None) -> None:
    """Print a line for each thing; nothing when nothing is held back."""
    if held is None:
        return
    for blocked in held.blocked:
        since = f"since {moment(blocked.since.isoformat())}"
        console.print(
            f"  [red]{blocked.consumer} waits for an operator[/] {since}: {escape(blocked.reason)};"
            " headrace topics restore", soft_wrap=True,
        )  # fmt: skip
    for one in held.paused:
        said = f"[red]{one.consumer} is paused[/] since {moment(one.since.isoformat())} by {escape(one.by)}"
        console.print(f"  {said}: {escape(one.reason)}", soft_wrap=True)
    for topic in held.topics:
        console.print(
            f"  [red]{topic.topic} is suspended[/] since {moment(topic.since.isoformat())} by {escape(topic.by)}:"
            f" {number(topic.waiting)} records wait; headrace topics list"
        )
    for stopped in held.stopped:
        since = f"since {moment(stopped.since.isoformat())}"
        console.print(
            f"  [red]nothing is sent to {stopped.topic}[/] {since}: {escape(stopped.why)};"
            f" {number(stopped.waiting)} records wait", soft_wrap=True,
        )  # fmt: skip
    for refused in held.refused:
        console.print(
            f"  [red]{number(refused.records)} records of {refused.topic} are refused by Kafka[/], the first is"
            f" {refused.first_seq}: {escape(refused.why)}; their keys wait", soft_wrap=True,
        )  # fmt: skip
    if held.dead_letters:
        each = ", ".join(f"{consumer} {number(count)}" for consumer, count in held.dead_letters.items())
        console.print(f"  [yellow]dead letters[/]  {number(sum(held.dead_letters.values()))} are parked: {each}")
