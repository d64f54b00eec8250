"""`headrace requests`: list, show, body, replay."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.operator_option import connected
from compose.cli.output import (
    AsJson,
    Limit,
    coloured,
    moment,
    number,
    print_json,
    show_fields,
    show_list,
    table,
    terminal,
)
from compose.cli.resources.inputs import moment_of
from compose.cli.resources.replays import DryRun, Expected, Reason, Throttle, Timeout, Wait, Yes

EPILOG = """
[cyan]headrace requests list --source shop --outcome rejected[/]  what was refused, and why

[cyan]headrace requests list --since 1d --all --json[/]  everything of a day

[cyan]headrace requests body ID | jq .[/]  what came

[cyan]headrace requests replay ID --reason "mapping fixed" --wait[/]

[cyan]headrace requests replay --source shop --from 2026-03-01T00:00:00Z --to 2026-03-02T00:00:00Z --dry-run[/]
"""


def register(app: typer.Typer) -> None:
    requests = typer.Typer(
        help="What was delivered to the sources, and what became of it.",
        no_args_is_help=True,
        epilog=EPILOG,
    )
    app.add_typer(requests, name="requests")

    @requests.command("list", epilog=EPILOG)
    def newest(
        source: Annotated[
            str | None, typer.Option(help="Of this source only, by its id or name.")
        ] = None,
        outcome: Annotated[
            str | None, typer.Option(help="accepted, duplicate or rejected.")
        ] = None,
        since: Annotated[
            str | None, typer.Option(help="From this time on: RFC 3339, or 90s, 15m, 2h, 7d ago.")
        ] = None,
        to: Annotated[str | None, typer.Option(help="Before this time.")] = None,
        cursor: Annotated[str | None, typer.Option(help="Continue from a next_cursor.")] = None,
        all: Annotated[bool, typer.Option("--all", help="To the end, not one page.")] = False,
        limit: Limit = 50,
        as_json: AsJson = False,
    ) -> None:
        """List deliveries, newest first: accepted, repeated, and some of those that were
        rejected.
        """
        asked = {
            "source_id": source,
            "outcome": outcome,
            "from": since and moment_of(since),
            "to": to and moment_of(to),
            "cursor": cursor,
            "limit": 200 if all else limit,
        }
        with connected() as api:
            asked["source_id"] = source and api.source(source)
            answer = (api.every if all else api.read)("/v1/requests", asked)
        show_list(
            answer,
            as_json,
            table(
                "id",
                "source",
                "outcome",
                "external id",
                "bytes",
                "when",
                "job",
                "note",
                right=("bytes",),
            ),
            lambda row: (
                row["id"],
                escape(row["source_name"] or row["source_id"]),
                coloured(row["outcome"]),
                escape(row["external_id"] or "-"),
                number(row["size_bytes"]),
                moment(row["received_at"]),
                row["job_id"] or "-",
                escape(_note(row)),
            ),
            "Nothing was delivered. headrace send --help",
        )
        if answer["next_cursor"] and not as_json:
            terminal().print(f"[dim]more: --cursor {answer['next_cursor']}[/]")

    @requests.command()
    def show(
        request: Annotated[str, typer.Argument(help="Its id.")], as_json: AsJson = False
    ) -> None:
        """Show an accepted request: its event, its identity, the headers that were kept."""
        with connected() as api:
            found = api.get(f"/v1/requests/{request}")
        if as_json:
            print_json(found)
            return
        show_fields(
            {
                "id": found["id"],
                "source": escape(found["source_name"] or found["source_id"]),
                "event": found["event_id"],
                "job": found["job_id"],
                "content encoding": found["content_encoding"],
                "external id": None
                if found["external_id"] is None
                else escape(found["external_id"]),
                "content type": escape(found["content_type"]),
                "bytes": number(found["size_bytes"]),
                "sha256": found["body_hash"],
                "possible replay": "yes" if found["possible_replay"] else None,
                **{f"  {name}": escape(value) for name, value in found["headers"].items()},
                "received": moment(found["received_at"]),
            }
        )
        for one in found["replays"]:
            why = escape(one["detail"] or one["reason"] or "")
            terminal().print(f"replayed {moment(one['created_at'])}  {one['state']}  {why}")

    @requests.command()
    def body(
        request: Annotated[str, typer.Argument(help="Its id.")],
        out: Annotated[str | None, typer.Option("--out", help="Write it to this file.")] = None,
    ) -> None:
        """Write the body of an accepted request, byte for byte, without the coding in which it
        was sent.
        """
        import sys
        from pathlib import Path

        from compose.cli.failure import CommandFailure

        with connected() as api:
            content = api.content(f"/v1/requests/{request}/body")
        if out is None:
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
            return
        try:
            Path(out).write_bytes(content)
        except OSError as error:
            raise CommandFailure(f"cannot write {out}: {error.strerror}") from None

    @requests.command(epilog=EPILOG)
    def replay(
        ids: Annotated[
            list[str] | None, typer.Argument(help="Requests by their ids; or give a filter.")
        ] = None,
        source: Annotated[
            str | None, typer.Option(help="Of this source, by its id or name.")
        ] = None,
        since: Annotated[
            str | None, typer.Option("--from", help="Received at this time or later.")
        ] = None,
        until: Annotated[
            str | None, typer.Option("--to", help="Received before this time.")
        ] = None,
        outcome: Annotated[
            str | None, typer.Option(help="accepted, duplicate or rejected.")
        ] = None,
        reason: Reason = None,
        expected: Expected = None,
        throttle: Throttle = None,
        dry_run: DryRun = False,
        yes: Yes = False,
        wait: Wait = False,
        timeout: Timeout = None,
        as_json: AsJson = False,
    ) -> None:
        """Handle requests once more, under their source's mapping as it is now.

        Never a second effect.
        """
        from compose.cli.resources.replays import begin

        wanted = {
            "ids": ids or None,
            "source_id": source,
            "from": since,
            "to": until,
            "outcome": outcome,
        }
        if all(value is None for value in wanted.values()):
            raise typer.BadParameter("give ids, or a filter such as --source")
        if source is not None:
            with connected() as api:
                wanted["source_id"] = api.source(source)
        begin(
            "requests",
            wanted,
            reason,
            expected,
            throttle,
            dry_run,
            yes,
            wait,
            timeout,
            False,
            as_json,
        )


def _note(row: dict[str, Any]) -> str:
    if row["outcome"] == "rejected":
        return str(row["reason"])
    if row["same_body"] is False:
        return "another body; the first one counts"
    return "possible replay" if row["possible_replay"] else ""
