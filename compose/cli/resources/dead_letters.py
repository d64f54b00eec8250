"""`headrace dead-letters`: list, groups, show, discard; park is beside it."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.admin import parking
from compose.cli.operator_option import Operator, reach
from compose.cli.output import (
    AsJson,
    Limit,
    moment,
    number,
    print_json,
    show_fields,
    show_list,
    table,
    terminal,
)

EPILOG = """
[cyan]headrace dead-letters groups --state parked[/]  what went wrong, the same failures together

[cyan]headrace dead-letters show ID[/]  the event, the error, the stack of a bug

[cyan]headrace replays start --fingerprint F --reason "mapping fixed"[/]  once it is fixed

[cyan]headrace dead-letters discard --fingerprint F --reason "a test of the sender"[/]  never again

[cyan]headrace dead-letters list --operator[/]  bytes that no tenant could be read from
"""
Consumer = Annotated[str | None, typer.Option(help="Of this consumer.")]
Class = Annotated[
    str | None,
    typer.Option("--class", help="user_data, user_config, internal, undecodable, bug, …"),
]
Type = Annotated[str | None, typer.Option("--type", help="Of this type of event.")]
Fingerprint = Annotated[str | None, typer.Option(help="Of this group.")]
State = Annotated[str | None, typer.Option(help="parked, replaying, applied or discarded.")]
Since = Annotated[
    str | None,
    typer.Option("--from", help="First failed at this time or later: 2026-03-01T00:00:00Z."),
]
Until = Annotated[str | None, typer.Option("--to", help="First failed before this time.")]


def register(app: typer.Typer) -> None:
    letters = typer.Typer(
        help="What could not be handled, and why.", no_args_is_help=True, epilog=EPILOG
    )
    app.add_typer(letters, name="dead-letters")
    parking.register(letters)

    @letters.command("list", epilog=EPILOG)
    def newest(
        consumer: Consumer = None,
        error_class: Class = None,
        event_type: Type = None,
        fingerprint: Fingerprint = None,
        state: State = None,
        since: Since = None,
        until: Until = None,
        cursor: Annotated[
            str | None, typer.Option(help="The next_cursor of the page before.")
        ] = None,
        limit: Limit = 50,
        operator: Operator = False,
        as_json: AsJson = False,
    ) -> None:
        """List dead letters, newest first."""
        query = _query(consumer, error_class, event_type, fingerprint, state, since, until)
        with reach(operator) as api:
            answer = api.get("/v1/dead-letters", limit=limit, cursor=cursor, **query)
        columns = table(
            "id", "consumer", "type", "attempts", "state", "when", "error", right=("attempts",)
        )
        show_list(
            answer,
            as_json,
            columns,
            lambda row: (
                row["id"],
                row["consumer"],
                row["event_type"] or "-",
                number(row["attempts"]),
                row["state"],
                moment(row["last_failed_at"]),
                escape(_line(row)),
            ),
            "There are no dead letters.",
        )

    @letters.command(epilog=EPILOG)
    def groups(
        consumer: Consumer = None,
        error_class: Class = None,
        event_type: Type = None,
        state: State = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        operator: Operator = False,
        as_json: AsJson = False,
    ) -> None:
        """List dead letters by fingerprint: the same failures together."""
        query = _query(consumer, error_class, event_type, None, state, since, until)
        with reach(operator) as api:
            answer = api.get("/v1/dead-letters/groups", limit=limit, **query)
        columns = table(
            "fingerprint", "count", "parked", "last", "sample", "error", right=("count", "parked")
        )
        show_list(
            answer,
            as_json,
            columns,
            lambda row: (
                row["fingerprint"],
                number(row["count"]),
                number(row["parked"]),
                moment(row["last_failed_at"]),
                row["sample_id"],
                escape(f"{row['consumer']}: {_line(row)}"),
            ),
            "There are no dead letters.",
        )

    @letters.command()
    def show(
        letter: Annotated[str, typer.Argument(help="Its id.")],
        operator: Operator = False,
        as_json: AsJson = False,
    ) -> None:
        """Show a dead letter: its origin, what went wrong, and the event in it."""
        with reach(operator) as api:
            found = api.get(f"/v1/dead-letters/{letter}")
        if as_json:
            print_json(found)
        else:
            _show(found)

    @letters.command(epilog=EPILOG)
    def discard(
        reason: Annotated[str, typer.Option(help="Why; it is kept.")],
        letter: Annotated[str | None, typer.Argument(help="Its id; or give --fingerprint.")] = None,
        fingerprint: Annotated[str | None, typer.Option(help="All of this group.")] = None,
        operator: Operator = False,
        as_json: AsJson = False,
    ) -> None:
        """Give up a dead letter, or a group of them, for good."""
        if (letter is None) == (fingerprint is None):
            raise typer.BadParameter("give an id, or --fingerprint")
        which = letter if letter is not None else f"groups/{fingerprint}"
        with reach(operator) as api:
            answer = api.post(f"/v1/dead-letters/{which}/discard", {"reason": reason})
        if as_json:
            print_json(answer)
        elif letter is None:
            terminal().print(f"{fingerprint}  {answer['discarded']} discarded")
        else:
            terminal().print(f"{letter}  {answer['state']}")


def _query(
    consumer: str | None,
    error_class: str | None,
    event_type: str | None,
    fingerprint: str | None,
    state: str | None,
    since: str | None,
    until: str | None,
) -> dict[str, Any]:
    return {
        "consumer": consumer,
        "class": error_class,
        "type": event_type,
        "fingerprint": fingerprint,
        "state": state,
        "from": since,
        "to": until,
    }


def _line(row: dict[str, Any]) -> str:
    return f"{row['error_class']}: {row['error']}".split("\n", 1)[0]


def _show(found: dict[str, Any]) -> None:
    import json

    show_fields(
        {
            "id": found["id"],
            "state": found["state"],
            "consumer": f"{found['consumer']} {found['consumer_version'] or ''}".rstrip(),
            "record": f"{found['topic']}/{found['partition']}@{found['offset']}",
            "bytes": number(found["size_bytes"]),
            "event": found["event_id"],
            "type": found["event_type"],
            "trace": found["trace_id"],
            "fingerprint": found["fingerprint"],
            "attempts": found["attempts"],
            "first failed": moment(found["created_at"]),
            "last failed": moment(found["last_failed_at"]),
            "error": escape(f"{found['error_class']}: {found['error']}"),
            "stack": found["stack"] and escape(found["stack"]),
            "discarded": found["discarded_at"]
            and escape(f"{found['discarded_by']}: {found['discard_reason']}"),
            "unreadable": found["undecodable"] and escape(found["undecodable"]),
        }
    )
    if found["decoded"] is not None:
        terminal().print(json.dumps(found["decoded"], indent=2, ensure_ascii=False), markup=False)
