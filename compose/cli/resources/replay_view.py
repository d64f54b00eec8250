"""A replay on a terminal: asked for, live while it runs, counted when it is over."""

import time
from collections.abc import Iterator
from typing import Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from compose.cli.client import Client
from compose.cli.failure import CommandFailure
from compose.cli.output import moment, print_answer, print_json, show_fields, table, terminal

POLL_SECONDS = 0.3
PATIENCE_SECONDS = 30.0
Replay = dict[str, Any]


def dry_run(api: Client, body: dict[str, Any], as_json: bool) -> None:
    """Show how many match, and some of them."""
    answer = api.post("/v1/replays", {**body, "dry_run": True})
    if as_json:
        print_json(answer)
        return
    terminal().print(f"{answer['matched']} match")
    for one in answer["sample"]:
        terminal().print(
            f"  {one['id']}  {escape(str(one.get('error') or one.get('refused') or '')[:100])}"
        )


def started(api: Client, body: dict[str, Any], yes: bool) -> Replay:
    """Start a replay. Without an expected number it counts first, and asks a person."""
    if "expected" not in body and "ids" not in body["filter"]:
        matched = api.post("/v1/replays", {**body, "dry_run": True})["matched"]
        if not yes:
            if not terminal().is_terminal:
                raise CommandFailure(
                    f"{matched} match: say --expected {matched}, or --yes", exit_code=2
                )
            typer.confirm(f"Replay {matched}?", abort=True, err=True)
        body = {**body, "expected": matched}
    found: Replay = api.post("/v1/replays", body)
    return found


def show_replay(
    api: Client, replay: Replay, wait: bool, timeout_seconds: float | None, as_json: bool
) -> int:
    """Show a replay as it is, or when it is over; the exit status, 1 if a message failed again."""
    if wait:
        replay = watched(api, replay["id"], timeout_seconds, quiet=as_json)
    print_answer(replay, as_json, show)
    return 1 if replay["counts"]["failed_again"] else 0


def watched(
    api: Client, replay_id: str, timeout_seconds: float | None, *, quiet: bool = False
) -> Replay:
    """The replay when it is over, with a bar meanwhile."""
    found: Replay = {}
    if quiet or not terminal().is_terminal:
        for found in _follow(api, replay_id, timeout_seconds):  # noqa: B007
            pass
        return found
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=terminal(), transient=True) as progress:
        task = progress.add_task("")
        for found in _follow(api, replay_id, timeout_seconds):
            done = found["matched"] - found["counts"]["pending"]
            progress.update(
                task, description=found["state"], completed=done, total=found["matched"]
            )
    return found


def _follow(api: Client, replay_id: str, timeout_seconds: float | None) -> Iterator[Replay]:
    began = time.monotonic()
    while True:
        found: Replay = api.get(f"/v1/replays/{replay_id}", patience_seconds=PATIENCE_SECONDS)
        yield found
        if found["state"] != "running":
            return
        if timeout_seconds is not None and time.monotonic() - began >= timeout_seconds:
            raise CommandFailure(
                f"not over after {timeout_seconds:g} seconds", f"replay {replay_id} continues"
            )
        time.sleep(POLL_SECONDS)


def counts(replay: Replay) -> str:
    """The outcomes in words."""
    named = [
        f"{count} {name.replace('_', ' ')}" for name, count in replay["counts"].items() if count
    ]
    return ", ".join(named) or "nothing matched"


def show(replay: Replay) -> None:
    """Everything about it, with what was not applied first."""
    show_fields(
        {
            "id": replay["id"],
            "state": replay["state"],
            "kind": replay["kind"].replace("_", " "),
            "filter": escape(
                ", ".join(f"{name}={value}" for name, value in replay["filter"].items())
            )
            or None,
            "reason": replay["reason"] and escape(replay["reason"]),
            "outcome": counts(replay),
            "throttle": replay["throttle_per_second"]
            and f"{replay['throttle_per_second']:g} a second",
            "asked by": escape(replay["created_by"]),
            "started": moment(replay["created_at"]),
            "over": replay["finished_at"] and moment(replay["finished_at"]),
        }
    )
    if not replay.get("items"):
        return
    lines = table("id", "outcome", "attempts", "detail", right=("attempts",))
    for item in replay["items"]:
        lines.add_row(
            item["subject_id"],
            item["state"],
            str(item["attempts"]),
            escape((item["detail"] or "")[:200]),
        )
    terminal().print()
    terminal().print(lines)
