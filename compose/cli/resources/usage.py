"""`headrace usage`: sums per meter."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from compose.cli.operator_option import connected
from compose.cli.output import AsJson, number, show_list, table
from compose.cli.resources.inputs import moment_of


class Window(StrEnum):
    """Over what it is summed, in UTC."""

    DAY = "day"
    MONTH = "month"


def register(app: typer.Typer) -> None:

    @app.command()
    def usage(
        meter: Annotated[str | None, typer.Option(help="Only this meter.")] = None,
        window: Annotated[Window, typer.Option(help="Sums per UTC day or month.")] = Window.DAY,
        since: Annotated[
            str | None,
            typer.Option("--from", help="From this time on: RFC 3339, or 90s, 15m, 2h, 7d ago."),
        ] = None,
        to: Annotated[str | None, typer.Option("--to", help="Before this time.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Show what was used, per meter and day or month."""
        period = {"from": since and moment_of(since), "to": to and moment_of(to)}
        with connected() as api:
            answer = api.read("/v1/usage", {"meter": meter, "window": window.value, **period})
        show_list(
            answer,
            as_json,
            table(window.value, "meter", "value", "unit", "records", right=("value", "records")),
            lambda row: (
                row["window_start"],
                escape(row["meter"]),
                number(row["value"]),
                escape(row["unit"]),
                number(row["records"]),
            ),
            "Nothing was used yet.",
        )
