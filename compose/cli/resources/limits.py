"""`headrace admin limits …`: what a tenant may send, where it differs from the settings."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from compose.cli.output import AsJson

EPILOG = """
[cyan]headrace admin limits set acme webhook_rate_per_source=50 max_webhook_bytes=65536[/]

[cyan]headrace admin limits show acme[/]  the limits in force, and their origin

[cyan]headrace admin limits clear acme webhook_rate_per_source[/]  the setting applies again
"""
Tenant = Annotated[str, typer.Argument(help="The tenant's name.")]


def register(admin: typer.Typer) -> None:
    limits = typer.Typer(
        help="What a tenant may send. The API knows within a second.", no_args_is_help=True
    )
    admin.add_typer(limits, name="limits", epilog=EPILOG)

    @limits.command(epilog=EPILOG)
    def show(tenant: Tenant, as_json: AsJson = False) -> None:
        """Show the limits that apply to a tenant."""
        _change(tenant, [], [], as_json=as_json)

    @limits.command("set", epilog=EPILOG)
    def put(
        tenant: Tenant,
        values: Annotated[
            list[str], typer.Argument(metavar="NAME=NUMBER…", help="Limits as `show` names them.")
        ],
        as_json: AsJson = False,
    ) -> None:
        """Set limits of a tenant's own. Sizes can only be lowered."""
        _change(tenant, values, [], as_json=as_json)

    @limits.command(epilog=EPILOG)
    def clear(
        tenant: Tenant,
        names: Annotated[
            list[str], typer.Argument(metavar="NAME…", help="Limits as `show` names them.")
        ],
        as_json: AsJson = False,
    ) -> None:
        """Let the settings apply again."""
        _change(tenant, [], names, as_json=as_json)


def _change(tenant: str, values: Sequence[str], cleared: Sequence[str], *, as_json: bool) -> None:
    from compose.cli.connection import operated
    from compose.cli.failure import CommandFailure
    from compose.cli.output import show_list, table
    from compose.tenant_limits import UnknownTenant, WrongLimit, change, checked, parsed

    try:
        found = asyncio.run(change(operated(), tenant, parsed(values), checked(cleared)))
    except UnknownTenant:
        raise CommandFailure(f"there is no tenant named {tenant!r}") from None
    except WrongLimit as error:
        raise typer.BadParameter(str(error)) from None
    rows = [
        {"name": one.limit.name, "value": one.value, "unit": one.limit.unit, "origin": one.origin}
        for one in found
    ]
    columns = table("name", "value", "unit", "from", right=("value",))
    show_list(
        {"data": rows},
        as_json,
        columns,
        lambda row: (
            row["name"],
            f"{row['value']:,g}" if row["value"] < 1000 else f"{row['value']:,}",
            row["unit"],
            row["origin"],
        ),
        "no limits",
    )
