"""A job on a terminal: live while it runs, in full when it is over."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from compose.cli.client import Client
from compose.cli.output import coloured, moment, number, print_answer, show_fields, table, terminal
from compose.cli.polling import Job, doing, follow, fraction
from compose.cli.resources.models import print_remarks


def watch_until_over(api: Client, job_id: str, timeout_seconds: float | None, as_json: bool) -> int:
    """Show a job until it is over; the exit status, 0 when it succeeded."""
    job = (
        _quietly(api, job_id, timeout_seconds)
        if as_json
        else _live(api, job_id, timeout_seconds, terminal())
    )
    print_answer(job, as_json, show_job)
    return 0 if job["state"] == "succeeded" else 1


def show_job(job: Job) -> None:
    """Print all fields of a job, its progress and its failure."""
    version = job["model"]["version"]
    line = escape(job["model"]["name"])
    failure = job["failure"]
    show_fields(
        {
            "id": job["id"],
            "state": coloured(job["state"]),
            "model": line if version is None else f"{line} version {version}",
            "dataset": job["dataset_id"],
            "target": escape(job["target"]),
            "task": _task(job),
            "options": escape(
                ", ".join(f"{name}={value}" for name, value in job["options"].items())
            )
            or None,
            "origin": job["origin"],
            "attempts": len(job["attempts"]) or None,
            "chosen": (job["details"] or {}).get("chosen"),
            "seconds": (job["details"] or {}).get("seconds"),
            "failure": failure
            and f"[red]{failure['class']}/{failure['code']}[/]: {escape(failure['message'])}",
        }
    )
    console = terminal()
    if job["metrics"]:
        measured = table("metric", "value", "baseline", right=("value", "baseline"))
        for name, value in sorted(job["metrics"].items()):
            measured.add_row(name, number(value), number((job["baseline"] or {}).get(name)))
        console.print()
        console.print(measured)
        print_remarks(job)
    if job.get("timeline"):
        console.print()
        console.print(_timeline(job["timeline"]))


def _task(job: Job) -> str | None:
    reason = (job["details"] or {}).get("task_reason")
    return f"{job['task']} ({escape(reason)})" if job["task"] and reason else job["task"]


def _timeline(lines: list[dict[str, Any]]) -> Any:
    shown = table("time", "event", "why")
    for line in lines:
        attempt = f"attempt {line['attempt']}: " if line.get("attempt") else ""
        shown.add_row(
            moment(line["time"]), line["type"], escape(attempt + str(line.get("reason", "")))
        )
    return shown


def _quietly(api: Client, job_id: str, timeout_seconds: float | None) -> Job:
    found: Job = {}
    for jobs in follow(api, [job_id], timeout_seconds):
        found = jobs[job_id]
    return found


def _live(api: Client, job_id: str, timeout_seconds: float | None, console: Console) -> Job:
    if not console.is_terminal:
        return _lines(api, job_id, timeout_seconds, console)
    found: Job = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[doing]}[/]"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=1.0, doing="")
        for jobs in follow(api, [job_id], timeout_seconds):
            found = jobs[job_id]
            progress.update(
                task,
                description=coloured(found["state"]),
                completed=fraction(found),
                doing=escape(doing(found)),
            )
    return found


def _lines(api: Client, job_id: str, timeout_seconds: float | None, console: Console) -> Job:
    found: Job = {}
    said = None
    for jobs in follow(api, [job_id], timeout_seconds):
        found = jobs[job_id]
        if (found["state"], doing(found)) != said:
            said = (found["state"], doing(found))
            console.print(
                f"{found['state']:<10} {fraction(found):4.0%}  {escape(doing(found))}".rstrip()
            )
    return found
