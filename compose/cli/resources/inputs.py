"""What is typed for a command: bodies, secrets, name=value pairs, mappings."""

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import typer

from compose.cli.failure import CommandFailure

AGO = re.compile(r"(\d{1,6})([smhd])")
STANDARD_INPUT = Path("-")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def body_of(file: str | None, data: str | None, stdin: TextIO | None = None) -> bytes:
    """The body from where the caller has it; standard input only when it is not a keyboard."""
    piped = sys.stdin if stdin is None else stdin
    if (file is None) == (data is None) and not (file is None and not piped.isatty()):
        raise typer.BadParameter(
            "give the body once: as a FILE, as - for standard input, or with --data"
        )
    if data is not None:
        return data.encode()
    if file is None or file == "-":
        return piped.buffer.read()
    return _read(file)


def readable(file: Path) -> Path:
    """The file, a pipe, or `-`, as it was given; a misuse when it cannot be read."""
    if file.is_dir():
        raise typer.BadParameter(f"{file} is a directory")
    if file != STANDARD_INPUT and not os.access(file, os.R_OK):
        raise typer.BadParameter(
            f"{file} cannot be read" if file.exists() else f"there is no file {file}"
        )
    return file


def is_id(given: str) -> bool:
    """Whether it is an id, written as ids are, and no name."""
    try:
        return str(UUID(given)) == given.lower()
    except ValueError:
        return False


def secret_of(given: str) -> str:
    """A secret as it is given, or out of the file that `@FILE` names."""
    return _read(given[1:]).decode("utf-8", "replace").strip() if given.startswith("@") else given


def parsed_options(given: list[str]) -> dict[str, Any]:
    """`name=value` pairs; a value is JSON where it can be (7, true, null), else text."""
    options: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{one!r} is not name=value", param_hint="--option")
        try:
            options[name] = json.loads(text)
        except ValueError:
            options[name] = text
    return options


def moment_of(given: str) -> str:
    """A time as the API takes it: RFC 3339 as it is given, or so long ago (90s, 15m, 2h, 7d)."""
    ago = AGO.fullmatch(given)
    if ago:
        return (datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})).isoformat()
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise typer.BadParameter(f"{given!r} is neither a time nor like 90s, 15m, 2h, 7d") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def action(given: dict[str, str | None]) -> dict[str, Any]:
    """The action that trains; what is not given is found in the payload under its own name."""
    return {
        "kind": "command",
        "command": "train",
        "mapping": {name: given[name] or name for name in given},
    }


def whole_action(given: str) -> dict[str, Any]:
    """An action as the API takes it: JSON, given as it is or out of the file that `@FILE` names."""
    try:
        found = json.loads(secret_of(given))
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--action") from None
    if not isinstance(found, dict):
        raise typer.BadParameter("not an object", param_hint="--action")
    return found


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandFailure(f"cannot read {path}: {error.strerror}") from None
