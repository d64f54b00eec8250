"""`headrace sweeper`: the process, one round of it, or what a round would remove."""

import asyncio
from typing import Annotated, Any

import typer

EPILOG = """
[cyan]headrace sweeper[/]  runs until it is stopped

[cyan]headrace sweeper --once --dry-run --json[/]  says what a round would remove, and removes nothing

[cyan]headrace sweeper --once[/]  one round now; it fails (1) while another sweeper is the leader
"""


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def sweeper(
        once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="With --once: count only.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="With --once: for scripts.")] = False,
    ) -> None:
        """Remove what is older than its time, and make the coming days' partitions. Several may
        run: one is the leader.
        """
        from compose.cli.process.processes import until_stopped
        from compose.processes import sweeper as process

        if once:
            _once(dry_run=dry_run, as_json=as_json)
        elif dry_run or as_json:
            raise typer.BadParameter("--dry-run and --json go with --once")
        else:
            until_stopped(process.run, "kafka", "object_store")


def _once(*, dry_run: bool, as_json: bool) -> None:
    from compose.cli.connection import operated
    from compose.cli.failure import CommandFailure
    from compose.cli.output import print_json
    from compose.processes.sweeper import AtWork, once

    try:
        swept = asyncio.run(once(operated(), dry_run=dry_run))
    except AtWork:
        raise CommandFailure(
            "another sweeper is the leader", "it begins a round every HEADRACE_SWEEP_SECONDS"
        ) from None
    rows = [one.shown() for one in swept]
    if as_json:
        print_json({"dry_run": dry_run, "data": rows})
    else:
        _print(rows, dry_run=dry_run)
    if any(one["error"] for one in rows):
        raise typer.Exit(1)


def _print(rows: list[dict[str, Any]], *, dry_run: bool) -> None:
    from compose.cli.output import moment, number, table, terminal

    columns = table(
        "what",
        "name",
        "kept days",
        "older than",
        "would go" if dry_run else "gone",
        right=("kept days",),
    )
    for one in rows:
        columns.add_row(
            one["what"],
            one["name"],
            f"{one['keep_days']:g}",
            moment(one["before"]),
            one["error"] or number(one["rows"]),
        )
    terminal().print(columns)
