"""`headrace logs`: what the processes of the stack on this machine wrote."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

EPILOG = """
[cyan]headrace logs[/]  the last lines of every process, each after the name of its process

[cyan]headrace logs api --lines 200[/]  more of one

[cyan]headrace logs training --follow[/]  until Ctrl-C
"""
LOOK_SECONDS = 0.5
CHUNK_BYTES = 1 << 16


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def logs(
        process: Annotated[
            str | None, typer.Argument(help="A process of `headrace status`; all without a name.")
        ] = None,
        follow: Annotated[
            bool, typer.Option("--follow", "-f", help="Follow the log until Ctrl-C.")
        ] = False,
        lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of each.")] = 20,
        data_dir: Annotated[
            Path | None,
            typer.Option("--data-dir", help="The stack's directory (default: HEADRACE_DATA_DIR)."),
        ] = None,
        as_json: Annotated[
            bool, typer.Option("--json", help="Each line as one JSON object.")
        ] = False,
    ) -> None:
        """Show what the processes of the stack on this machine logged, also after it has
        stopped.
        """
        files = chosen(data_dir, process)

        def show(name: str, line: str) -> None:
            if as_json:
                print(json.dumps({"process": name, "line": line}), flush=True)
            else:
                print(line if process else f"{name:<12} | {line}", flush=True)

        ends = {}
        for name, file in files.items():
            ends[name] = file.stat().st_size
            for line in last_lines(file, lines):
                show(name, line)
        with suppress(KeyboardInterrupt):
            while follow:
                time.sleep(LOOK_SECONDS)
                for name, file in files.items():
                    ends[name], new = since(file, ends[name])
                    for line in new:
                        show(name, line)


def chosen(data_dir: Path | None, process: str | None) -> dict[str, Path]:
    """The logs by process: all of them, or one; raises Failure where there is none."""
    from compose.cli.connection import settings_of
    from compose.cli.failure import CommandFailure
    from compose.devstack.status import RunFiles

    folder = RunFiles(settings_of(data_dir).data_dir.absolute()).logs
    found = {file.stem: file for file in sorted(folder.glob("*.log"))}
    if not found:
        raise CommandFailure(
            f"there are no logs in {folder}", "start the stack: headrace up --detach"
        )
    if process is None:
        return found
    if process not in found:
        raise CommandFailure(f"there is no log of {process!r}", f"known: {', '.join(found)}")
    return {process: found[process]}


def last_lines(file: Path, count: int) -> list[str]:
    """The last lines of a file, read from its end."""
    with file.open("rb") as log:
        place, tail = log.seek(0, 2), b""
        while place > 0 and tail.count(b"\n") <= count:
            step = min(CHUNK_BYTES, place)
            place -= step
            log.seek(place)
            tail = log.read(step) + tail
    return tail.decode(errors="replace").splitlines()[-count:] if count else []


def since(file: Path, place: int) -> tuple[int, Iterator[str]]:
    """Where whole lines end now, and those after `place`.

    From the beginning where the log was emptied meanwhile.
    """
    with file.open("rb") as log:
        size = log.seek(0, 2)
        begin = place if size >= place else 0
        log.seek(begin)
        new = log.read(size - begin)
    whole = new[: new.rfind(b"\n") + 1]
    return begin + len(whole), iter(whole.decode(errors="replace").splitlines())
