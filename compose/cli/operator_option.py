"""The API as a command reaches it; nothing heavy is imported before it is asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from compose.cli.client import Client

Operator = Annotated[
    bool,
    typer.Option(
        "--operator", help="The operator's own, straight from the database: HEADRACE_POSTGRES_URL."
    ),
]


def connected(data_dir: Path | None = None) -> "Client":
    """A client of the API that the settings or the running stack name.

    Raises Failure without a key.
    """
    from compose.cli import client

    return client.connected(data_dir)


def reach(operator: bool) -> "Client":
    """The API with the key's tenant, or the operator's part of it."""
    if operator:
        from compose.cli.operator import operating

        return operating()
    return connected()
