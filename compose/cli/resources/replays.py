"""`headrace replays`: start, list, show, watch, cancel."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.operator_option import Operator, reach
from compose.cli.output import AsJson, Limit, moment, number, print_answer, show_list, table
from compose.cli.resources.dead_letters import Class, Consumer, Fingerprint, Since, Type, Until

EPILOG = """
[cyan]headrace replays start --class user_config --dry-run[/]  how many, and some of them

[cyan]headrace replays start --class user_config --expected 12 --reason "mapping fixed" --wait[/]

[cyan]headrace replays start LETTER_ID --reason "one of them first"[/]

[cyan]headrace replays start --consumer ingest --throttle 5 --yes --reason "slowly"[/]

[cyan]headrace requests replay --source ID --from 2026-03-01T00:00:00Z --dry-run[/]  requests instead of dead letters

[cyan]headrace replays cancel ID[/]  what was applied stays applied
"""
Id = Annotated[str, typer.Argument(help="The replay's id.")]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept with the replay.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many match, and show some.")]
Expected = Annotated[int | None, typer.Option(min=0, help="Refuse if more match than this.")]
Throttle = Annotated[float | None, typer.Option(help="So many messages a second.")]
Wait = Annotated[
    bool,
    typer.Option("--wait", help="Watch it until it is over; exit status 1 if one failed again."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Replay whatever matches now, without asking.")]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0, help="Give up waiting after so many seconds.")
]


def register(app: typer.Typer) -> None:
    replays = typer.Typer(
        help="Handle dead letters and requests once more, each with its outcome.",
        no_args_is_help=True,
        epilog=EPILOG,
    )
    app.add_typer(replays, name="replays")

    @replays.command(epilog=EPILOG)
    def start(
        letters: Annotated[
            list[str] | None, typer.Argument(help="Dead letters by id; or give a filter.")
        ] = None,
        consumer: Consumer = None,
        error_class: Class = None,
        event_type: Type = None,
        fingerprint: Fingerprint = None,
        since: Since = None,
        until: Until = None,
        reason: Reason = None,
        expected: Expected = None,
        throttle: Throttle = None,
        dry_run: DryRun = False,
        yes: Yes = False,
        wait: Wait = False,
        timeout: Timeout = None,
        operator: Operator = False,
        as_json: AsJson = False,
    ) -> None:
        """Replay parked dead letters: all of them, or those that a filter means."""
        wanted = {
            "ids": letters or None,
            "consumer": consumer,
            "class": error_class,
            "type": event_type,
            "fingerprint": fingerprint,
            "from": since,
            "to": until,
        }
        begin(
            "dead_letters",
            wanted,
            reason,
            expected,
            throttle,
            dry_run,
            yes,
            wait,
            timeout,
            operator,
            as_json,
        )

    @replays.command("list")
    def newest(limit: Limit = 50, operator: Operator = False, as_json: AsJson = False) -> None:
        """List replays, newest first."""
        from compose.cli.resources.replay_view import counts

        with reach(operator) as api:
            answer = api.get("/v1/replays", limit=limit)
        show_list(
            answer,
            as_json,
            table(
                "id", "kind", "state", "matched", "outcome", "started", "reason", right=("matched",)
            ),
            lambda row: (
                row["id"],
                row["kind"].replace("_", " "),
                row["state"],
                number(row["matched"]),
                counts(row),
                moment(row["created_at"]),
                escape(row["reason"] or ""),
            ),
            "There were no replays. headrace replays start --help",
        )

    @replays.command("show")
    def one(
        replay: Id,
        state: Annotated[str | None, typer.Option(help="Only messages with this outcome.")] = None,
        cursor: Annotated[
            int | None, typer.Option(help="The next_cursor of the page before.")
        ] = None,
        limit: Limit = 50,
        operator: Operator = False,
        as_json: AsJson = False,
    ) -> None:
        """Show a replay and what became of its messages."""
        from compose.cli.resources.replay_view import show

        with reach(operator) as api:
            found = api.get(f"/v1/replays/{replay}", state=state, limit=limit, cursor=cursor)
        print_answer(found, as_json, show)

    @replays.command(epilog=EPILOG)
    def watch(
        replay: Id, timeout: Timeout = None, operator: Operator = False, as_json: AsJson = False
    ) -> None:
        """Watch a replay until it is over. Exit status 1 if a message failed again."""
        from compose.cli.resources.replay_view import show_replay

        with reach(operator) as api:
            raise typer.Exit(show_replay(api, {"id": replay}, True, timeout, as_json))

    @replays.command()
    def cancel(replay: Id, operator: Operator = False, as_json: AsJson = False) -> None:
        """Stop a replay. What was done stays done; one that is over stays as it is."""
        from compose.cli.resources.replay_view import show

        with reach(operator) as api:
            found = api.post(f"/v1/replays/{replay}/cancel")
        print_answer(found, as_json, show)


def begin(
    kind: str,
    wanted: dict[str, Any],
    reason: str | None,
    expected: int | None,
    throttle: float | None,
    dry: bool,
    yes: bool,
    wait: bool,
    timeout: float | None,
    operator: bool,
    as_json: bool,
) -> None:
    """Look or start, as it was asked; ends the command with its exit status."""
    from compose.cli.resources.replay_view import dry_run, show_replay, started

    given = {"kind": kind, "reason": reason, "expected": expected, "throttle_per_second": throttle}
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    body["filter"] = {name: value for name, value in wanted.items() if value is not None}
    with reach(operator) as api:
        if dry:
            dry_run(api, body, as_json)
        else:
            raise typer.Exit(show_replay(api, started(api, body, yes), wait, timeout, as_json))
