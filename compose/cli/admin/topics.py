"""`headrace topics`: make them, show them, grow one."""

import asyncio
import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from compose.cli.admin import topics_restore
from compose.cli.failure import CommandFailure
from compose.cli.output import OperatedDir, moment, number, print_json, table, terminal

if TYPE_CHECKING:
    from compose.kafka.partition_expansion import TopicStatus

CHANGED = "its partitions were changed by another tool"
EPILOG = """
[cyan]headrace topics[/]  makes those that are missing; once, and at every upgrade

[cyan]headrace topics list[/]  how many partitions each has, and which is suspended

[cyan]headrace topics grow headrace.webhooks 12[/]  to 12 partitions, each key's events still in order

[cyan]headrace topics grow headrace.webhooks 6[/]  the number it has: what was killed half-way is given up
"""
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True, epilog=EPILOG)
    app.add_typer(group, name="topics")

    @group.callback()
    def topics(
        context: typer.Context,
        as_json: AsJson = False,
        hold: Annotated[
            bool,
            typer.Option(
                "--hold", help="A topic that another tool has grown is no error: it is suspended."
            ),
        ] = False,
        restore: Annotated[
            bool,
            typer.Option("--restore", help="What this Kafka has lost is published again first."),
        ] = False,
    ) -> None:
        """Make the topics that are missing, and check those that are there."""
        if context.invoked_subcommand is not None:
            return
        from compose.checked_settings import require
        from compose.kafka.topics import WrongTopics, ensure
        from compose.settings import Settings

        require(Settings(), "postgres_url", "kafka")
        restored = topics_restore.restored(Settings()) if restore else ""
        try:
            made = asyncio.run(ensure(Settings(), hold=hold))
        except WrongTopics as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        if as_json:
            print_json({"created": made, "restored": restored or None})
        else:
            typer.echo(restored or f"topics made: {', '.join(made) or 'none missing'}")

    topics_restore.register(group)

    @group.command("list", epilog=EPILOG)
    def every(as_json: AsJson = False, data_dir: OperatedDir = None) -> None:
        """List the topics with their partitions; say which is suspended, and why."""
        from compose.cli.connection import operated
        from compose.kafka.partition_expansion import CannotGrow, topic_statuses

        try:
            found = asyncio.run(topic_statuses(operated(data_dir)))
        except CannotGrow as error:
            raise CommandFailure(*error.args) from None
        if as_json:
            print_json({"data": [asdict(one) for one in found]})
            return
        shown = table(
            "topic",
            "partitions",
            "used",
            "state",
            "waiting",
            right=("partitions", "used", "waiting"),
        )
        for one in found:
            shown.add_row(
                one.topic,
                number(one.partitions),
                number(one.spread_over),
                _state(one),
                number(one.waiting),
            )
        terminal().print(shown)

    @group.command(epilog=EPILOG)
    def grow(
        topic: Annotated[str, typer.Argument(help="Its name, without a prefix.")],
        partitions: Annotated[int, typer.Argument(min=1, help="How many it shall have in all.")],
        timeout: Annotated[
            float, typer.Option(help="Seconds to wait until all of it is consumed.")
        ] = 300.0,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Say who is how far behind; change nothing.")
        ] = False,
        as_json: AsJson = False,
        data_dir: OperatedDir = None,
    ) -> None:
        """Add partitions to a topic while everything runs, without losing the order of any key.

        The relay suspends the topic, all that is on it is consumed, partitions are added, the relay
        continues. What is accepted meanwhile waits. With the number that a topic has already, it
        takes over those that another tool added, or ends the suspension that a killed one left.
        """
        from aiokafka.errors import KafkaError

        from compose.kafka.partition_expansion import CannotGrow

        try:
            found = asyncio.run(_grown(topic, partitions, timeout, data_dir, dry_run=dry_run))
        except CannotGrow as error:
            raise CommandFailure(*error.args) from None
        except KafkaError as error:
            raise CommandFailure(
                f"Kafka: {error!r}", "headrace topics list; call this again to finish it"
            ) from None
        if as_json:
            print_json(asdict(found))
            return
        said = (
            f"{topic} has {found.partitions} partitions, its keys use {found.spread_over}: "
            f"{_state(found)}"
        )
        terminal().print(said)
        for one, lag in found.behind.items() if dry_run else ():
            terminal().print(f"{one} is {lag} behind")


async def _grown(
    topic: str, partitions: int, timeout: float, data_dir: Path | None, *, dry_run: bool
) -> "TopicStatus":
    from compose.cli.connection import operated
    from compose.failpoints import failpoints
    from compose.kafka.partition_expansion import check, growing

    def tell(text: str) -> None:
        typer.echo(text, err=True)

    async with growing(operated(data_dir), topic, tell, failpoints()) as growth:
        if dry_run:
            status = await growth.look.status(topic)
            check(status, partitions)
            return status
        return await growth.grow(partitions, f"{getpass.getuser()}, at the database", timeout)


def _state(one: "TopicStatus") -> str:
    if one.held_since is not None:
        what_for = f", to be grown to {one.held_for}" if one.held_for else f", {CHANGED}"
        return (
            f"[red]suspended[/] since {moment(one.held_since)} by "
            f"{escape(one.held_by or '-')}{what_for}"
        )
    return "[green]in use[/]" if one.partitions == one.spread_over else f"[red]{CHANGED}[/]"
