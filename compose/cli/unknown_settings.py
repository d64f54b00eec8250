"""HEADRACE_ names that no setting has: said once, at the start of a command."""

import os

import typer

from compose.setting_names import unknown_names

KNOWN_ELSEWHERE = ("HEADRACE_SUPERUSER_URL",)
"""Names that one command reads for itself."""


def warn() -> None:
    """Warn of each on standard error, with the nearest known name."""
    for line in warnings(dict(os.environ)):
        typer.echo(line, err=True)


def warnings(environment: dict[str, str]) -> list[str]:
    """One line for each unknown name."""
    return [
        f"headrace: there is no setting {name}" + (f"; did you mean {nearest}?" if nearest else "")
        for name, nearest in unknown_names(environment).items()
        if name not in KNOWN_ELSEWHERE
    ]
