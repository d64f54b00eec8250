"""`headrace dead-letters`: list."""

import typer
from rich.markup import escape

from compose.cli.output import AsJson, Limit, moment, number, show_list, table


def register(app: typer.Typer) -> None:
    """Add the command."""
    letters = typer.Typer(help="What could not be handled, and why.", no_args_is_help=True)
    app.add_typer(letters, name="dead-letters")

    @letters.command("list")
    def newest(limit: Limit = 50, as_json: AsJson = False) -> None:
        """List dead letters, newest first."""
        from compose.cli.client import connected

        with connected() as api:
            answer = api.get("/v1/dead-letters", limit=limit)
        columns = table("id", "consumer", "where", "attempts", "state", "when", "error", right=("attempts",))
        show_list(
            answer, as_json, columns,
            lambda row: (
                row["id"], row["consumer"], f"{row['topic']}/{row['partition']}@{row['offset']}",
                number(row["attempts"]), row["state"], moment(row["created_at"]),
                escape(f"{row['error_class']}: {row['error']}"),
            ),
            "There are no dead letters.",
        )  # fmt: skip
