"""`headrace migrate`, `admin …`: what is done once, or at an upgrade."""

import asyncio
import json
from typing import Annotated

import typer

from compose.cli.resources import limits
from compose.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="For scripts.")]


def register(app: typer.Typer) -> None:

    @app.command()
    def migrate(
        revision: Annotated[str, typer.Option(help="Where to go.")] = "head",
        as_json: Json = False,
    ) -> None:
        """Bring the database's schema up to date, as headrace_owner."""
        from compose.checked_settings import require
        from compose.postgres.migrate import upgrade

        require(Settings(), "postgres_url")
        upgrade(Settings().postgres_url.get_secret_value(), revision)
        typer.echo(
            json.dumps({"revision": revision}) if as_json else f"the schema is at {revision}"
        )

    admin = typer.Typer(help="Set-up that needs more than an API key.", no_args_is_help=True)
    app.add_typer(admin, name="admin")
    limits.register(admin)

    @admin.command()
    def roles(
        superuser_url: Annotated[
            str, typer.Option(envvar="HEADRACE_SUPERUSER_URL", help="Who may make roles.")
        ],
    ) -> None:
        """Make the three roles, the login and the database that HEADRACE_POSTGRES_URL names."""
        from compose.checked_settings import require
        from compose.postgres.roles import ensure

        require(Settings(), "postgres_url")
        asyncio.run(ensure(superuser_url, Settings().postgres_url.get_secret_value()))
        typer.echo("roles, login and database are there")

    @admin.command()
    def bootstrap() -> None:
        """Make the first tenant and its key, kept in credentials.json of the data directory."""
        from compose.bootstrap import ensure_first
        from compose.checked_settings import require

        require(Settings(), "postgres_url")
        typer.echo(f"the key of the first tenant is in {asyncio.run(ensure_first(Settings()))}")

    @admin.command("new-secret-key")
    def new_secret_key(name: Annotated[str, typer.Option(help="What to call it.")] = "k1") -> None:
        """Make a key for HEADRACE_SECRET_KEYS; put a new one first, and keep those before it."""
        from compose.sealing import new_key

        typer.echo(new_key(name))

    @admin.command("create-key")
    def create_key(
        tenant: Annotated[str, typer.Option(help="The tenant's name; a new one is made.")],
        name: Annotated[str, typer.Option(help="What the key is for.")] = "cli",
        as_json: Json = False,
    ) -> None:
        """Make an API key and show it once."""
        from compose.bootstrap import create_key as create
        from compose.checked_settings import require

        require(Settings(), "postgres_url")
        tenant_id, key = asyncio.run(create(Settings(), tenant, name))
        shown = {"tenant_id": str(tenant_id), "api_key": key}
        typer.echo(json.dumps(shown) if as_json else f"tenant {tenant_id}\nkey    {key}")
