"""`headrace up`, `down` and `status`: the embedded stack from a terminal."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape

from compose.cli.process.blockers_view import show_held_back, show_problems
from compose.cli.process.stack_view import (
    coloured,
    print_json,
    print_status,
    process_table,
    show_addresses,
    show_running,
    show_step,
)
from compose.devstack.blockers import HeldBack, held_back
from compose.devstack.commands import COMMAND
from compose.devstack.lifecycle import NotStartedError, start_detached, stop_stack
from compose.devstack.orphans import AlreadyRunningError
from compose.devstack.status import RunFiles, StackStatus
from compose.settings import PREFIX, Settings

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Where everything is kept (default: HEADRACE_DATA_DIR, or .headrace)."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready.")]
Demo = Annotated[
    bool, typer.Option("--demo", help="Run `headrace demo` once everything is ready, and stay up.")
]


def up(
    data_dir: DataDir = None, detach: Detach = False, demo: Demo = False, json: AsJson = False
) -> None:
    """Start PostgreSQL, Kafka, the API and all workers on this machine.

    Data is kept in one directory and is there again at the next start. What dies is started again.

    Ctrl-C stops everything that was started, and nothing else.

    HEADRACE_POSTGRES_URL and HEADRACE_KAFKA name servers of your own to use instead of the embedded
    ones.

    Exit codes: 0 stopped by you, or it ran already; 1 it could not start, or the demo failed; 2
    wrong usage.
    """
    if detach and demo:
        raise typer.BadParameter(
            "--demo stays in the foreground; run `headrace demo` after `up --detach`"
        )
    settings = _usable(_settings(data_dir))
    files = RunFiles(settings.data_dir.absolute())
    console = Console(stderr=json, highlight=False)
    if files.status().state == "running":
        running = files.status()
        show_running(console, running, asyncio.run(_held_back(running)), json, already=True)
        if demo:
            raise typer.Exit(1 if asyncio.run(_demo(_environment(files.status()))) else 0)
        return
    if detach:
        _up_detached(console, files, json)
        return
    raise typer.Exit(_up_here(console, settings, demo, json))


def down(data_dir: DataDir = None, json: AsJson = False) -> None:
    """Stop the stack and wait until everything has ended. Data stays.

    Exit codes: 0 stopped, or nothing was running; 1 something would not end.
    """
    console = Console(stderr=json, highlight=False)
    try:
        stopped = stop_stack(_settings(data_dir).data_dir)
    except TimeoutError as error:
        console.print(f"[red]not stopped[/]: {escape(str(error))}")
        raise typer.Exit(1) from error
    if json:
        print_json({"stopped": stopped})
    else:
        console.print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


def status(data_dir: DataDir = None, json: AsJson = False) -> None:
    """Show whether the stack runs, where it listens, how often each process restarted, and what
    waits.

    What waits: paused consumers, parked dead letters, topics that nothing is sent to; null in JSON
    where unknown.

    Exit codes: 0 it runs; 1 it does not (or not yet).
    """
    found = RunFiles(_settings(data_dir).data_dir.absolute()).status()
    held = asyncio.run(_held_back(found))
    if json:
        print_status(found, held)
    else:
        console = Console(highlight=False)
        console.print(f"{coloured(found.state)}  {escape(found.data_dir or '')}")
        if found.state != "stopped":
            show_addresses(console, found)
            console.print(process_table(found))
            show_problems(console, found.problems)
            show_held_back(console, held)
    raise typer.Exit(0 if found.state == "running" else 1)


def register(app: typer.Typer) -> None:
    """Add the three commands."""
    for command in (up, down, status):
        app.command()(command)


def _settings(data_dir: Path | None) -> Settings:
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def _usable(settings: Settings) -> Settings:
    """The settings themselves; raises WrongSetting.

    The stack makes its own keys where there are none.
    """
    from compose.checked_settings import CHECKS, require

    require(
        settings,
        *(name for name in CHECKS if name != "secret_keys" or settings.secret_keys is not None),
    )
    return settings


def _up_here(console: Console, settings: Settings, demo: bool, as_json: bool) -> int:
    async def ready(running: StackStatus, environment: dict[str, str]) -> int:
        spinner.stop()
        if demo and (code := await _demo(environment)):
            console.print(f"[red]the demo failed[/] ({code}); stopping")
            return code
        show_running(console, running, await _held_back(running), as_json)
        if not as_json:
            console.print("[dim]Ctrl-C stops everything.[/]")
        return 0

    # Here: `status` and `down` would load Kafka's client and the resolver of jars for nothing.
    from compose.devstack.stack import run_up

    spinner = console.status("starting")
    spinner.start()
    try:
        return run_up(settings, lambda done: show_step(console, done), ready)
    except AlreadyRunningError as error:
        console.print(escape(str(error)))
        return 0
    except Exception as error:  # noqa: BLE001  a terminal wants the reason, not our stack
        console.print(
            f"[red]it could not start[/]: {escape(str(error) or type(error).__name__)}",
            soft_wrap=True,
        )
        console.print("[dim]`headrace doctor` looks for the cause.[/]")
        return 1
    finally:
        spinner.stop()


def _up_detached(console: Console, files: RunFiles, as_json: bool) -> None:
    try:
        running = start_detached(
            files.data_dir, lambda line: console.print(escape(line), soft_wrap=True)
        )
    except NotStartedError as error:
        console.print(
            "[red]it could not start[/]; all of the above is in "
            f"{escape(str(files.logs / 'up.log'))}"
        )
        console.print("[dim]`headrace doctor` looks for the cause.[/]")
        raise typer.Exit(1) from error
    show_running(console, running, asyncio.run(_held_back(running)), as_json)


async def _demo(environment: dict[str, str]) -> int:
    """Run `headrace demo` with our own terminal; it ends with us."""
    process = await asyncio.create_subprocess_exec(*COMMAND, "demo", env=environment)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _environment(running: StackStatus) -> dict[str, str]:
    """Ours, with the addresses of the running stack in it."""
    addresses = {
        name: getattr(running, name)
        for name in ("data_dir", "api_url", "kafka", "postgres_url", "object_store")
    }
    return dict(os.environ) | {
        PREFIX + name.upper(): value for name, value in addresses.items() if value
    }


async def _held_back(found: StackStatus) -> HeldBack | None:
    """None when nothing runs, or the database does not say."""
    if found.state == "stopped" or found.postgres_url is None:
        return None
    try:
        return await held_back(found.postgres_url)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None
