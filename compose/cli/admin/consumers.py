"""`headrace consumers`: list, show, pause, resume.

Straight to the database, as whoever operates it.
"""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.markup import escape

from compose.cli.failure import CommandFailure
from compose.cli.output import OperatedDir, moment, number, print_json, show_fields, table, terminal

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from compose.kafka.lag import ConsumerLag

T = TypeVar("T")
EPILOG = """
[cyan]headrace consumers list[/]  who runs, who is paused, how far each is behind

[cyan]headrace consumers show ingest[/]  lag per partition, and what the breaker has seen

[cyan]headrace consumers pause ingest --reason "maintenance"[/]  every instance stops within about a second

[cyan]headrace consumers pause projection.jobs --reason "a bad view"[/]  its rows stay as they are meanwhile

[cyan]headrace consumers resume ingest --reason "fixed in 1.4.2"[/]  on from the positions: nothing was skipped

[cyan]headrace consumers resume ingest --reason "a producer wrote garbage" --allow 500[/]  let these be dead letters
"""
Name = Annotated[str, typer.Argument(help="The consumer, or projection.NAME.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the row.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Who consumes (projections too), how far behind, and who is paused.",
        no_args_is_help=True,
        epilog=EPILOG,
    )
    app.add_typer(group, name="consumers")

    @group.command("list", epilog=EPILOG)
    def every(as_json: AsJson = False, data_dir: OperatedDir = None) -> None:
        """List the consumers and projections with their state and lag."""
        found = _all(data_dir)
        if as_json:
            print_json({"data": [_plain(one) for one in found]})
            return
        shown = table(
            "consumer", "state", "lag", "last progress", "failed lately", "why", right=("lag",)
        )
        for one in found:
            failed = f"{one.breaker.recent_failures} of {one.breaker.recent}"
            why = (
                f"{one.reason} ({one.by or 'headrace topics restore'})"
                if one.state != "running"
                else ""
            )
            shown.add_row(
                one.name,
                _state(one),
                number(one.lag),
                _moment(one.last_progress),
                failed,
                escape(why),
            )
        terminal().print(shown)

    @group.command(epilog=EPILOG)
    def show(name: Name, as_json: AsJson = False, data_dir: OperatedDir = None) -> None:
        """Show one consumer: partitions, breaker, who paused it and why."""
        (one,) = [one for one in _all(data_dir) if one.name == _known(name)]
        if as_json:
            print_json(_plain(one))
            return
        rows = table(
            "topic",
            "partition",
            "position",
            "end",
            "lag",
            right=("partition", "position", "end", "lag"),
        )
        for each in one.partitions:
            rows.add_row(
                each.topic,
                str(each.partition),
                number(each.position),
                number(each.end),
                number(each.lag),
            )
        breaker = one.breaker
        show_fields(
            {
                "consumer": one.name,
                "state": _state(one),
                "reason": one.reason and escape(one.reason),
                "by": one.by,
                "since": one.since and _moment(one.since),
                "lag": number(one.lag),
                "last progress": _moment(one.last_progress),
                "breaker": f"{breaker.recent_failures} of the last {breaker.recent} failed, of "
                f"{breaker.failing_tenants} "
                f"tenants; pauses past {breaker.max_run} in a row or {breaker.max_ratio:.0%} of "
                f"the last {breaker.window}",
                "partitions": rows,
            }
        )

    @group.command(epilog=EPILOG)
    def pause(
        name: Name, reason: Why, as_json: AsJson = False, data_dir: OperatedDir = None
    ) -> None:
        """Stop a consumer wherever it runs.

        Its positions stay, and it stays paused over restarts.
        """
        _change(name, "paused", reason, as_json, data_dir)

    @group.command(epilog=EPILOG)
    def resume(
        name: Name,
        reason: Why,
        allow: Annotated[
            int,
            typer.Option(
                min=0, help="So many more may fail uncounted: what is in the log already."
            ),
        ] = 0,
        as_json: AsJson = False,
        data_dir: OperatedDir = None,
    ) -> None:
        """Let a paused consumer continue from its positions, with a clean breaker."""
        _change(name, "running", reason, as_json, data_dir, allow)


def _change(
    name: str, state: str, reason: str, as_json: bool, data_dir: Path | None, allow: int = 0
) -> None:
    from consumers.log.circuit_breaker import store

    _known(name)
    by = f"{getpass.getuser()}, at the database"

    async def write(pipeline: "AsyncEngine", _kafka: str, _prefix: str) -> bool:
        async with pipeline.begin() as tx:
            if state == "paused":
                return await store.pause(tx, name, reason, by)
            return await store.resume(tx, name, reason, by, allow)

    changed = with_database(write, data_dir)
    if as_json:
        print_json({"consumer": name, "state": state, "changed": changed})
    else:
        terminal().print(
            f"{name} is {state}" if changed else f"{name} was {state} already; nothing changed"
        )


def _all(data_dir: Path | None) -> "list[ConsumerLag]":
    from compose.kafka.lag import consumer_lags

    return with_database(consumer_lags, data_dir)


def with_database(
    ask: "Callable[[AsyncEngine, str, str], Awaitable[T]]", data_dir: Path | None
) -> T:
    """Ask with a connection of the pipeline's role: of the settings, else of the running stack."""
    from compose.cli.connection import operated
    from compose.postgres.connections import engine

    settings = operated(data_dir)
    url = settings.postgres_url.get_secret_value()

    async def asked() -> T:
        pipeline = engine(url, "headrace_pipeline", "consumers", pool_size=1)
        try:
            return await ask(pipeline, settings.kafka, settings.kafka_topic_prefix)
        finally:
            await pipeline.dispose()

    return asyncio.run(asked())


def _known(name: str) -> str:
    from compose.consumer_groups import READERS

    if name not in READERS:
        raise CommandFailure(f"there is no consumer {name!r}; known: {', '.join(READERS)}")
    return name


def _plain(one: "ConsumerLag") -> dict[str, Any]:
    found = asdict(one)
    for name in ("since", "last_progress"):
        found[name] = found[name] and found[name].isoformat()
    return found


def _state(one: "ConsumerLag") -> str:
    return f"[green]{one.state}[/]" if one.state == "running" else f"[red]{one.state}[/]"


def _moment(at: datetime | None) -> str:
    return moment(at.isoformat() if at else None)
