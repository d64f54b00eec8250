"""The command line."""

import typer

from compose.cli import processes, setup, stack

app = typer.Typer(no_args_is_help=True)
for part in (stack, processes, setup):
    part.register(app)


def main() -> None:
    """Run it."""
    app()
