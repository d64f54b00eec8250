"""`headrace jobs`: start, list, show, watch, cancel."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.operator_option import connected
from compose.cli.output import (
    AsJson,
    Limit,
    coloured,
    moment,
    print_answer,
    print_json,
    show_list,
    table,
    terminal,
)
from compose.cli.resources.inputs import parsed_options
from compose.cli.resources.models import baseline_note

EPILOG = """
[cyan]headrace jobs start --dataset wine --target cultivar --model wine --option seed=7 --wait[/]

[cyan]headrace jobs watch ID[/]  live, until it is over; exit status 1 unless it succeeded
"""
Id = Annotated[str, typer.Argument(help="The job's id.")]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0, help="Give up after so many seconds.")
]


def register(app: typer.Typer) -> None:
    jobs = typer.Typer(
        help="Start training jobs, watch them, cancel them.", no_args_is_help=True, epilog=EPILOG
    )
    app.add_typer(jobs, name="jobs")

    @jobs.command(epilog=EPILOG)
    def start(
        dataset: Annotated[
            str, typer.Option(help="The dataset's id, or its name: its newest valid version.")
        ],
        target: Annotated[str, typer.Option(help="The column to predict.")],
        model: Annotated[str, typer.Option(help="The model; each job adds a version to it.")],
        option: Annotated[
            list[str] | None,
            typer.Option(help="seed=7, profile=fast or standard, task=regression; repeatable."),
        ] = None,
        wait: Annotated[bool, typer.Option("--wait", help="Watch it until it is over.")] = False,
        timeout: Timeout = None,
        as_json: AsJson = False,
    ) -> None:
        """Start a training job."""
        from compose.cli.resources.job_view import watch_until_over

        body = {
            "kind": "train",
            "dataset_id": dataset,
            "target": target,
            "model": model,
            "options": parsed_options(option or []),
        }
        with connected() as api:
            answer = api.post("/v1/jobs", body)
            if wait:
                raise typer.Exit(watch_until_over(api, answer["id"], timeout, as_json))
        if as_json:
            print_json(answer)
        else:
            terminal().print(f"{answer['id']}  {coloured(answer['state'])}")
            terminal().print(f"[dim]headrace jobs watch {answer['id']}[/]")

    @jobs.command("list")
    def newest(limit: Limit = 50, as_json: AsJson = False) -> None:
        """List jobs, newest first."""
        with connected() as api:
            answer = api.get("/v1/jobs", limit=limit)
        show_list(
            answer,
            as_json,
            table("id", "state", "model", "target", "origin", "created", "note"),
            _line,
            "There are no jobs. headrace jobs start --dataset ID --target COLUMN --model NAME",
        )

    @jobs.command()
    def show(job: Id, as_json: AsJson = False) -> None:
        """Show a job: its state, metrics beside the baseline, failure, and timeline."""
        from compose.cli.resources.job_view import show_job

        with connected() as api:
            found = api.get(f"/v1/jobs/{job}")
        print_answer(found, as_json, show_job)

    @jobs.command(epilog=EPILOG)
    def watch(job: Id, timeout: Timeout = None, as_json: AsJson = False) -> None:
        """Watch a job until it is over. Exit status 1 unless it succeeded; --json prints the job
        at its end.
        """
        from compose.cli.resources.job_view import watch_until_over

        with connected() as api:
            raise typer.Exit(watch_until_over(api, job, timeout, as_json))

    @jobs.command()
    def cancel(
        job: Id,
        reason: Annotated[str | None, typer.Option(help="Why; it is kept in the timeline.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Ask a job to stop; an error when it has ended already."""
        with connected() as api:
            answer = api.post(
                f"/v1/jobs/{job}/cancel", None if reason is None else {"reason": reason}
            )
        print_answer(answer, as_json, f"{answer['id']}  {answer['state']}")


def _line(job: dict[str, Any]) -> tuple[str, ...]:
    version = job["model"]["version"]
    model = escape(job["model"]["name"]) + (f" v{version}" if version is not None else "")
    note = (
        f"{job['failure']['class']}/{job['failure']['code']}"
        if job["failure"]
        else baseline_note(job)
    )
    return (
        job["id"],
        coloured(job["state"]),
        model,
        escape(job["target"]),
        job["origin"],
        moment(job["created_at"]),
        note,
    )
