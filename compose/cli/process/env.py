"""`headrace env`: addresses and key for a shell."""

import shlex
from typing import Annotated

import typer

from compose.cli.failure import CommandFailure
from compose.cli.output import DataDir, print_json

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of shell lines.")]
EPILOG = """
[cyan]eval "$(headrace env)"[/]

[cyan]curl -H "Authorization: Bearer $HEADRACE_API_KEY" $HEADRACE_API_URL/v1/jobs[/]
"""


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def env(
        data_dir: DataDir = None,
        postgres: Annotated[
            bool, typer.Option("--postgres", help="HEADRACE_POSTGRES_URL too, with its password.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Print the addresses and the key for the shell that you are in.

        HEADRACE_API_URL, HEADRACE_API_KEY and HEADRACE_KAFKA, so that curl and any Kafka client
        work at once.
        """
        from compose.cli.connection import find, operated, settings_of

        found = find(settings_of(data_dir))
        if not found.known:
            raise CommandFailure(
                f"no stack is running in {found.stack.data_dir}", "start one: headrace up --detach"
            )
        values = {
            "HEADRACE_API_URL": found.api_url,
            "HEADRACE_API_KEY": found.api_key,
            "HEADRACE_KAFKA": found.kafka,
        }
        if postgres:
            values["HEADRACE_POSTGRES_URL"] = operated(data_dir).postgres_url.get_secret_value()
        known = {name: value for name, value in values.items() if value is not None}
        if as_json:
            print_json(known)
        else:
            typer.echo(exports(known))


def exports(values: dict[str, str]) -> str:
    """One line that a POSIX shell can evaluate, whatever the values hold."""
    return "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
