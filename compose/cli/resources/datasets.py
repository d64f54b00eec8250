"""`headrace datasets`: upload, list, show, report."""

from pathlib import Path
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
    print_answer,
    print_json,
    show_fields,
    show_list,
    table,
    terminal,
)
from compose.cli.resources.inputs import readable

EPILOG = """
[cyan]headrace datasets upload wine.csv --name wine --wait[/]

[cyan]headrace datasets upload houses.csv --name houses --missing NA,- --types zip:text[/]

[cyan]headrace datasets report ID[/]  what validation found
"""
Id = Annotated[str, typer.Argument(help="The dataset's id, or its name: its newest valid version.")]


Missing = Annotated[
    list[str] | None,
    typer.Option(
        help="Words that mean an empty cell (NA,-), only these; may be repeated. "
        "Later uploads of the name are read so too."
    ),
]
Types = Annotated[
    list[str] | None,
    typer.Option(
        help="Types of columns (zip:text,price:number); may be repeated. Later uploads of the "
        "name are read so too."
    ),
]
Forget = Annotated[
    bool, typer.Option("--forget", help="Read it without what earlier uploads of the name said.")
]


def register(app: typer.Typer) -> None:
    datasets = typer.Typer(
        help="Upload datasets, and see what validation found.", no_args_is_help=True, epilog=EPILOG
    )
    app.add_typer(datasets, name="datasets")

    @datasets.command(epilog=EPILOG)
    def upload(
        file: Annotated[
            Path, typer.Argument(callback=readable, help="CSV with a header; - is standard input.")
        ],
        name: Annotated[str, typer.Option(help="Its name; another upload may have it too.")],
        missing: Missing = None,
        types: Types = None,
        forget: Forget = False,
        wait: Annotated[
            bool, typer.Option("--wait", help="Until it is validated or rejected.")
        ] = False,
        timeout: Annotated[
            float, typer.Option(min=0, help="With --wait: give up after so many seconds.")
        ] = 300.0,
        as_json: AsJson = False,
    ) -> None:
        """Upload a CSV file. With --wait, exit status 1 when it is rejected."""
        from compose.cli.polling import wait_for_dataset

        said: dict[str, Any] = {"name": name}
        if missing is not None:
            said["missing"] = missing
        if types is not None:
            said["types"] = types
        if forget:
            said["forget"] = "true"
        with connected() as api:
            answer = api.upload("/v1/datasets", file, said)
            if wait:
                answer = wait_for_dataset(api, answer["id"], timeout)
        if as_json:
            print_json(answer)
        elif wait:
            _show(answer)
        else:
            terminal().print(f"{answer['id']}  {coloured(answer['state'])}")
        raise typer.Exit(1 if answer["state"] == "rejected" else 0)

    @datasets.command("list")
    def newest(limit: Limit = 50, as_json: AsJson = False) -> None:
        """List datasets, newest first."""
        with connected() as api:
            answer = api.get("/v1/datasets", limit=limit)
        columns = table(
            "id",
            "name",
            "version",
            "state",
            "rows",
            "columns",
            "created",
            right=("version", "rows"),
        )
        show_list(
            answer,
            as_json,
            columns,
            lambda row: (
                row["id"],
                escape(row["name"]),
                number(row["version"]),
                coloured(row["state"]),
                number(row["rows"]),
                number(row["column_count"]),
                moment(row["created_at"]),
            ),
            "There are no datasets. headrace datasets upload FILE --name NAME",
        )

    @datasets.command()
    def show(dataset: Id, as_json: AsJson = False) -> None:
        """Show a dataset: its state, columns, and what validation found."""
        with connected() as api:
            found = api.get(f"/v1/datasets/{api.dataset(dataset)}")
        print_answer(found, as_json, _show)

    @datasets.command()
    def report(dataset: Id, as_json: AsJson = False) -> None:
        """Show what validation found: rule, column, rows, samples."""
        with connected() as api:
            found = api.get(f"/v1/datasets/{api.dataset(dataset)}/report")
        if as_json:
            print_json(found)
            return
        reason = f": {escape(found['reason'])}" if found["reason"] else ""
        terminal().print(f"{coloured(found['state'])}{reason}")
        _show_findings(found["findings"])


def _show(found: dict[str, Any]) -> None:
    columns = ", ".join(f"{escape(one['name'])} [dim]{one['type']}[/]" for one in found["columns"])
    show_fields(
        {
            "id": found["id"],
            "name": escape(found["name"]),
            "version": found["version"],
            "state": coloured(found["state"]),
            "reason": found["reason"] and escape(found["reason"]),
            "rows": found["rows"],
            "size": f"{found['size_bytes']:,} bytes",
            "columns": columns or None,
            "read as": escape(_reading(found["reading"])) or None,
            "created": moment(found["created_at"]),
        }
    )
    _show_findings(found["report"])


def _reading(said: dict[str, Any] | None) -> str:
    """What was said of the file, as the options of an upload say it."""
    if not said:
        return ""
    parts = []
    if said["missing"] is not None:
        parts.append(f"missing={','.join(said['missing'])}")
    if said["types"] and not said["typed"]:
        parts.append("types=" + ",".join(f"{name}:{kind}" for name, kind in said["types"].items()))
    return " ".join(["typed values", *parts] if said["typed"] else parts)


def _show_findings(findings: list[dict[str, Any]]) -> None:
    if not findings:
        terminal().print("[dim]validation found nothing[/]")
        return
    listed = table(
        "severity", "rule", "column", "count", "rows", "message", "samples", right=("count",)
    )
    for one in findings:
        colour = "red" if one["severity"] == "error" else "yellow"
        rows = ", ".join(map(str, one["rows"][:5])) + (" …" if len(one["rows"]) > 5 else "")
        listed.add_row(
            f"[{colour}]{one['severity']}[/]",
            one["rule"],
            escape(one["column"] or "-"),
            number(one["count"]),
            rows,
            escape(one["message"]),
            escape(", ".join(one["samples"][:3])),
        )
    terminal().print(listed)
