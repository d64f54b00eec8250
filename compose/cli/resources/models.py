"""`headrace models`: list, show, versions, download."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.operator_option import connected
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
[cyan]headrace models download wine --version 3 --output wine-3[/]  then load it as docs/models.md shows
"""
Name = Annotated[str, typer.Argument(help="The model's name.")]
HEADLINE = ("balanced_accuracy", "r2", "accuracy", "rmse")
"""The metrics that stand for a model in one cell, in this order."""


def register(app: typer.Typer) -> None:
    models = typer.Typer(help="Models, their versions and files.", no_args_is_help=True)
    app.add_typer(models, name="models")

    @models.command("list")
    def lines(limit: Limit = 50, as_json: AsJson = False) -> None:
        """List models with how their newest version does."""
        with connected() as api:
            answer = api.get("/v1/models", limit=limit)
        show_list(
            answer,
            as_json,
            table(
                "name", "versions", "task", "target", "newest", "since", "note", right=("versions",)
            ),
            lambda row: (
                escape(row["name"]),
                number(row["versions"]),
                row["task"],
                escape(row["target"]),
                headline(row["metrics"]),
                moment(row["created_at"]),
                baseline_note(row),
            ),
            "There are no models. headrace jobs start --dataset ID --target COLUMN --model NAME "
            "--wait",
        )

    @models.command()
    def show(
        name: Name,
        version: Annotated[
            int | None, typer.Option(min=1, help="Which one; the newest if left out.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Show one version of a model: metrics beside the baseline, lineage, files."""
        with connected() as api:
            if version is None:
                found = api.get(f"/v1/models/{name}")
                one = found["latest"]
            else:
                found = one = api.get(f"/v1/models/{name}/versions/{version}")
        if as_json:
            print_json(found)
        else:
            _show(one)

    @models.command()
    def versions(name: Name, limit: Limit = 50, as_json: AsJson = False) -> None:
        """List a model's versions, newest first."""
        with connected() as api:
            answer = api.get(f"/v1/models/{name}/versions", limit=limit)
        show_list(
            answer,
            as_json,
            table("version", "chosen", "measured", "job", "created", "note", right=("version",)),
            lambda row: (
                number(row["version"]),
                row["chosen"] or "-",
                headline(row["metrics"]),
                row["job_id"],
                moment(row["created_at"]),
                baseline_note(row),
            ),
            "There are none.",
        )

    @models.command(epilog=EPILOG)
    def download(
        name: Name,
        version: Annotated[
            int | None, typer.Option(min=1, help="Which one; the newest if left out.")
        ] = None,
        output: Annotated[
            Path, typer.Option(help="The directory; it is made where there is none.")
        ] = Path(),
        as_json: AsJson = False,
    ) -> None:
        """Download a model's files, checked against their SHA-256."""
        from compose.cli.resources.model_files import download_files

        with connected() as api:
            if version is None:
                version = int(api.get(f"/v1/models/{name}")["versions"])
            found = download_files(api, api.get(f"/v1/models/{name}/versions/{version}"), output)
        if as_json:
            print_json({"name": name, "version": version, "files": [str(path) for path in found]})
        else:
            for path in found:
                terminal().print(escape(str(path)))


def baseline_note(shown: dict[str, Any]) -> str:
    """A warning where a model is no better than predicting the mean or the most frequent class."""
    return (
        "[yellow]no better than the baseline[/]"
        if shown.get("better_than_baseline") is False
        else ""
    )


def headline(metrics: dict[str, float]) -> str:
    """The first metric of the usual ones that there is."""
    return next((f"{name} {number(metrics[name])}" for name in HEADLINE if name in metrics), "-")


def _show(one: dict[str, Any]) -> None:
    files = ", ".join(
        f"{escape(name)} ({file['size_bytes']:,} bytes)" for name, file in one["artifacts"].items()
    )
    show_fields(
        {
            "model": f"{escape(one['name'])} version {one['version']}",
            "task": one["task"],
            "chosen": one["details"].get("chosen"),
            "target": escape(one["target"]),
            "dataset": f"{one['dataset_id']} version {one['dataset_version']}",
            "job": one["job_id"],
            "files": files,
            "created": moment(one["created_at"]),
        }
    )
    measured = table("metric", "value", "baseline", right=("value", "baseline"))
    for name, value in sorted(one["metrics"].items()):
        measured.add_row(name, number(value), number(one["baseline"].get(name)))
    terminal().print()
    terminal().print(measured)
    print_remarks(one)


def print_remarks(shown: dict[str, Any]) -> None:
    """What a reader of the measures must know: the baseline, columns that were left out, and
    notes.
    """
    details = shown.get("details") or {}
    lines = [baseline_note(shown)] if shown.get("better_than_baseline") is False else []
    lines += [
        f"not used: {escape(one['name'])}: {escape(one['reason'])}"
        for one in details.get("left_out", ())
    ]
    lines += [escape(note) for note in details.get("notes", ())]
    for line in lines:
        terminal().print(line)
