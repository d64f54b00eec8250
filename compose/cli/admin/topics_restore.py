"""`headrace topics restore`: what Kafka has lost is published again from the log in Postgres."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from compose.cli.failure import CommandFailure, explain
from compose.cli.output import OperatedDir, number, terminal

if TYPE_CHECKING:
    from compose.kafka.restore import Restored
    from compose.kafka.restore.result import Tell
    from compose.settings import Settings

EPILOG = """
[cyan]headrace topics restore --dry-run[/]  what is lost, and what would be published again

[cyan]headrace topics restore[/]  publish it again; every consumer that waits for it continues

[cyan]headrace topics restore --from-seq 120000[/]  all from this event on, whatever Kafka has
"""
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object a line: progress, then the result.")
]


def register(group: typer.Typer) -> None:

    @group.command(epilog=EPILOG)
    def restore(
        from_seq: Annotated[
            int | None, typer.Option("--from-seq", min=0, help="Publish all from this seq on.")
        ] = None,
        missing: Annotated[
            bool, typer.Option("--missing", help="Compare also topics that show no loss.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
        ] = False,
        as_json: AsJson = False,
        data_dir: OperatedDir = None,
    ) -> None:
        """Publish again what Kafka has lost: a disk, a restored volume, a topic made anew, another
        cluster.

        The same events with the same ids: a consumer that has applied one drops it. Positions that
        are not in the log are set, and what waited continues. The topics are suspended meanwhile;
        webhooks are accepted all the time.
        """
        from compose.cli.connection import operated

        if missing and from_seq is not None:
            raise typer.BadParameter("give --from-seq or --missing")
        settings = operated(data_dir)
        with _shown(as_json) as tell:
            found = _run(settings, tell, from_seq, every=missing, dry_run=dry_run)
        if as_json:
            print(json.dumps(_plain(found, dry_run=dry_run)))
        else:
            _print(found, dry_run=dry_run)


def restored(settings: "Settings") -> str:
    """Restore what is lost, for a stack whose Kafka is its own.

    What was done in one line, empty for nothing.
    """
    found = _run(settings, lambda _: None, None, every=False, dry_run=False)
    if not found.reasons:
        return ""
    return f"kafka's log had lost something: {found.records} records are published again"


def _run(
    settings: "Settings", tell: "Tell", from_seq: int | None, *, every: bool, dry_run: bool
) -> "Restored":
    import asyncpg
    from aiokafka.errors import KafkaError

    from compose.failpoints import failpoints
    from compose.kafka.partition_expansion import CannotGrow
    from compose.kafka.restore import CannotRestore, restoring

    async def run() -> "Restored":
        async with restoring(settings, tell, failpoints()) as restoration:
            if dry_run:
                return await restoration.plan(from_seq, every=every)
            return await restoration.restore(from_seq, every=every)

    try:
        return asyncio.run(run())
    except (CannotRestore, CannotGrow) as error:
        raise CommandFailure(*error.args) from None
    except KafkaError as error:
        raise CommandFailure(f"Kafka: {error!r}", "once it answers, call this again") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        again = (
            "once that is repaired, call this again: topics that it suspended stay so until then"
        )
        raise explain(error) or CommandFailure(
            f"the restore was cut off: {error!r}", again
        ) from None


@contextmanager
def _shown(as_json: bool) -> Iterator["Tell"]:
    if as_json:
        yield lambda now: print(
            json.dumps({"step": now.text, "done": now.done, "total": now.total})
        )
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=terminal(stderr=True), transient=True) as bar:
        task = bar.add_task("looking", total=None)
        yield lambda now: bar.update(
            task, description=escape(now.text), completed=now.done, total=now.total or None
        )


def _plain(found: "Restored", *, dry_run: bool) -> dict[str, Any]:
    ranges = [
        {
            "topic": one.topic,
            "from_seq": one.first_seq,
            "records": one.records,
            "size_bytes": one.size_bytes,
            "too_old": one.too_old,
        }
        for one in found.ranges
    ]
    return {
        "restored": bool(found.reasons or ranges) and not dry_run,
        "reasons": found.reasons,
        "ranges": ranges,
        "records": found.records,
        "positions": found.positions,
    }


def _print(found: "Restored", *, dry_run: bool) -> None:
    console = terminal()
    for reason in found.reasons:
        console.print(escape(reason), soft_wrap=True)
    for one in found.ranges:
        old = (
            f"; {number(one.too_old)} are too old: consumers may have forgotten them"
            if one.too_old
            else ""
        )
        console.print(
            f"[bold]{one.topic}[/] from seq {one.first_seq} on: {number(one.records)} records,"
            f" {number(one.size_bytes)} bytes{old}",
            soft_wrap=True,
        )
    if not found.reasons and not found.ranges:
        console.print("nothing is lost: Kafka has all that Postgres knows it confirmed")
    elif dry_run:
        console.print(f"nothing was changed; {number(found.positions)} positions would be set")
    else:
        console.print(
            f"the relay publishes {number(found.records)} records again; "
            f"{number(found.positions)} positions were set"
        )
