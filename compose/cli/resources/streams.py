"""`headrace sources streams`: rows that gather, and what was sealed of them."""

from typing import Any

import typer
from rich.markup import escape

from compose.cli.operator_option import connected
from compose.cli.output import AsJson, Limit, coloured, moment, number, show_list, table

EPILOG = """
[cyan]headrace sources streams[/]  how many rows are open, and when they become a version

[cyan]headrace sources streams --json | jq -r '.data[0].last_sealed.dataset_id'[/]  for headrace datasets show
"""


def register(sources: typer.Typer) -> None:
    """Add the command to the group."""

    @sources.command(epilog=EPILOG)
    def streams(limit: Limit = 50, as_json: AsJson = False) -> None:
        """List the streams of rows that sources feed, with the version that was sealed last."""
        with connected() as api:
            answer = api.get("/v1/streams", limit=limit)
        show_list(
            answer,
            as_json,
            table(
                "dataset",
                "source",
                "state",
                "rows",
                "waiting",
                "next version",
                "last version",
                right=("rows", "waiting"),
            ),
            lambda row: (
                escape(row["dataset"]),
                row["source_id"],
                row["state"],
                number(row["rows"]),
                number(row["open_rows"]),
                moment(row["next_seal_at"]),
                _sealed(row["last_sealed"]),
            ),
            "No source gathers rows. headrace sources create --help",
        )


def _sealed(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    version = "" if found["version"] is None else f"version {found['version']}, "
    return f"{version}{number(found['rows'])} rows, {coloured(found['state'])}"
