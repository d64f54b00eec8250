"""Whose dead letters and replays a command is about."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from compose.cli.client import Client

Operator = Annotated[
    bool, typer.Option("--operator", help="The operator's own, straight from the database: HEADRACE_POSTGRES_URL.")
]


def reach(operator: bool) -> "Client":
    """The API with the key's tenant, or the operator's part of it."""
    if operator:
        from compose.cli.operator import operating

        return operating()
    from compose.cli.client import connected

    return connected()
