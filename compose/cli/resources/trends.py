"""`headrace trends`: metrics over versions."""

from itertools import groupby
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from compose.cli.operator_option import connected
from compose.cli.output import (
    AsJson,
    moment,
    number,
    print_json,
    show_list,
    sparkline,
    table,
    terminal,
)
from compose.cli.resources.inputs import moment_of

EPILOG = """
[cyan]headrace trends[/]  each model and metric in a row

[cyan]headrace trends --model wine --metric accuracy[/]  each version in a row

[cyan]headrace trends --summary[/]  average, range and quantiles
"""
NONE = "There is no trend yet. headrace jobs start --dataset ID --target COLUMN --model NAME --wait"


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def trends(
        model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
        metric: Annotated[str | None, typer.Option(help="Only this metric.")] = None,
        since: Annotated[
            str | None,
            typer.Option("--from", help="From this time on: RFC 3339, or 90s, 15m, 2h, 7d ago."),
        ] = None,
        to: Annotated[str | None, typer.Option("--to", help="Before this time.")] = None,
        summary: Annotated[
            bool, typer.Option("--summary", help="Average, range and quantiles.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Show how each model does, version by version, beside its baseline."""
        path = "/v1/metric-trends/summary" if summary else "/v1/metric-trends"
        period = {"from": since and moment_of(since), "to": to and moment_of(to)}
        with connected() as api:
            answer = api.read(path, {"model": model, "metric": metric, **period})
        if summary:
            numbers = (
                "versions",
                "average",
                "minimum",
                "maximum",
                "p50",
                "p90",
                "latest",
                "change",
            )
            show_list(
                answer,
                as_json,
                table("model", "metric", "better", *numbers, right=numbers),
                lambda row: (
                    escape(row["model"]),
                    row["metric"],
                    row["better"],
                    *(number(row[name]) for name in numbers),
                ),
                NONE,
            )
        elif as_json:
            print_json(answer)
        elif not answer["data"]:
            terminal().print(NONE)
        else:
            one = model is not None and metric is not None
            terminal().print(by_version(answer["data"]) if one else by_series(answer["data"]))


def by_series(points: list[dict[str, Any]]) -> Table:
    """One row per model and metric; points come in the order model, metric, version."""
    numbers = ("versions", "first", "latest", "change", "baseline")
    shown = table("model", "metric", "better", *numbers, "trend", "note", right=numbers)
    for (model, metric), group in groupby(
        points, key=lambda point: (point["model"], point["metric"])
    ):
        series = list(group)
        values = [point["value"] for point in series]
        change = values[-1] - values[-2] if len(values) > 1 else None
        shown.add_row(
            escape(model),
            metric,
            series[-1]["better"],
            number(len(values)),
            number(values[0]),
            number(values[-1]),
            "-" if change is None else f"{change:+.4f}",
            number(series[-1]["baseline"]),
            sparkline(values),
            _rows_note(series[-1]),
        )
    return shown


def by_version(points: list[dict[str, Any]]) -> Table:
    """One row per version, with the trend up to it."""
    right = ("version", "value", "change")
    shown = table(
        "version", "value", "change", "baseline", "trained", "dataset", "trend", "note", right=right
    )
    values = [point["value"] for point in points]
    bars = sparkline(values)
    for place, point in enumerate(points):
        change = f"{values[place] - values[place - 1]:+.4f}" if place else "-"
        shown.add_row(
            number(point["version"]),
            number(point["value"]),
            change,
            number(point["baseline"]),
            moment(point["time"]),
            point["dataset_id"] or "-",
            bars[: place + 1],
            _rows_note(point),
        )
    return shown


def _rows_note(point: dict[str, Any]) -> str:
    """Where a version and the one before it do not compare."""
    return "other dataset than the version before" if point["same_dataset"] is False else ""
