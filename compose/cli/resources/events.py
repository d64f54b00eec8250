"""`headrace events`: the tenant's own log."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.operator_option import connected
from compose.cli.output import AsJson, moment, print_json, table, terminal
from compose.cli.resources.inputs import moment_of

EPILOG = """
[cyan]headrace events list[/]  the newest, the last one at the bottom

[cyan]headrace events list --follow --type job.succeeded[/]  and on, as they come, until Ctrl-C

[cyan]headrace events list --since 2h --json --all | jq .data[][/]  everything of the last two hours
"""


def register(app: typer.Typer) -> None:
    events = typer.Typer(
        help="The log of every event, as it is on Kafka.", no_args_is_help=True, epilog=EPILOG
    )
    app.add_typer(events, name="events")

    @events.command("list", epilog=EPILOG)
    def listed(
        follow: Annotated[
            bool, typer.Option("--follow", "-f", help="Wait for more events, until Ctrl-C.")
        ] = False,
        topic: Annotated[str | None, typer.Option(help="Of this topic only.")] = None,
        type: Annotated[
            str | None, typer.Option(help="Of this type only, such as job.failed.")
        ] = None,
        source: Annotated[
            str | None, typer.Option(help="The webhooks of this source only, by its id or name.")
        ] = None,
        correlation: Annotated[str | None, typer.Option(help="Of this chain only.")] = None,
        since: Annotated[
            str | None, typer.Option(help="From this time on: RFC 3339, or 90s, 15m, 2h, 7d ago.")
        ] = None,
        cursor: Annotated[str | None, typer.Option(help="Continue from a next_cursor.")] = None,
        all: Annotated[bool, typer.Option("--all", help="To the end, not one page.")] = False,
        limit: Annotated[int, typer.Option(min=1, max=500, help="How many in a page.")] = 50,
        as_json: AsJson = False,
    ) -> None:
        """List events, oldest first; without --since, --cursor or --all the newest.

        --follow --json: one a line.
        """
        from compose.cli.following import pages

        asked: dict[str, Any] = {
            "topic": topic,
            "type": type,
            "source": source,
            "correlation": correlation,
            "limit": limit,
            "from": None if since is None else moment_of(since),
            "cursor": cursor,
        }
        with connected() as api:
            asked["source"] = source and api.source(source)
            newest = since is None and cursor is None and not all
            if follow:
                found = pages(
                    api, follow=True, **{**asked, "cursor": "latest" if newest else cursor}
                )
                _follow(found, as_json)
            elif newest:
                page = api.read("/v1/events", {**asked, "order": "desc"})
                _show(
                    [{**page, "data": page["data"][::-1], "next_cursor": None}], as_json
                )  # that one leads backwards
            else:
                found = pages(api, follow=False, **asked)
                _show(found if all else [next(found)], as_json)


def _follow(found: Any, as_json: bool) -> None:
    try:
        for page in found:
            for event in page["data"]:
                if as_json:
                    print(json.dumps(event, ensure_ascii=False), flush=True)
                else:
                    terminal().print("  ".join(_cells(event)))
    except KeyboardInterrupt:
        return


def _show(found: Any, as_json: bool) -> None:
    events: list[Any] = []
    page: dict[str, Any] = {}
    for page in found:
        events += page["data"]
    if as_json:
        print_json({**page, "data": events})
        return
    if not events:
        terminal().print("No events here. headrace events list --follow")
        return
    rows = table("when", "type", "subject", "id")
    for event in events:
        rows.add_row(*_cells(event))
    terminal().print(rows)
    if page["has_more"] and page["next_cursor"]:
        terminal().print(f"[dim]more: --cursor {page['next_cursor']}[/]")


def _cells(event: dict[str, Any]) -> tuple[str, ...]:
    return (
        moment(event["time"]),
        f"[cyan]{escape(event['type'])}[/]",
        escape(event["subject"]),
        event["id"],
    )
