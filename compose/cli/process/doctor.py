"""`headrace doctor`: the checks of the stack, the API, and the settings."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from compose.cli.output import DataDir, print_json, table, terminal

if TYPE_CHECKING:
    from compose.cli.connection import Connection
    from compose.devstack.setting_checks import Check
    from compose.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
ANSWER_SECONDS = 5.0


def register(app: typer.Typer) -> None:

    @app.command()
    def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
        """Say what is wrong, and where each setting comes from.

        Changes nothing. Exit status 1 when a check fails.
        """
        import asyncio
        from dataclasses import asdict

        from compose.cli.connection import find, settings_of
        from compose.cli.settings_origin import origins
        from compose.devstack.doctor import diagnose

        settings = settings_of(data_dir)
        found = find(settings)
        checks = [*asyncio.run(diagnose(settings)), _api(found, settings)]
        instead = {
            name: (value, found.origins[name])
            for name, value in (
                ("api_url", found.api_url),
                ("api_key", found.api_key),
                ("kafka", found.kafka),
            )
            if name in found.origins and value is not None
        }
        if found.stack.state != "stopped":
            for name in ("postgres_url", "object_store"):
                value = getattr(found.stack, name)
                if value is not None and name not in settings.model_fields_set:
                    instead[name] = (value, "the running stack")
        values = origins(settings, instead)
        if as_json:
            print_json(
                {
                    "checks": [asdict(one) for one in checks],
                    "settings": [asdict(one) for one in values],
                }
            )
        else:
            console = terminal()
            shown = table("", "check", "found")
            for one in checks:
                shown.add_row(
                    "[green]✓[/]" if one.ok else "[red]✗[/]", one.name, escape(one.detail)
                )
                if not one.ok and one.advice:
                    shown.add_row("", "", f"[yellow]{escape(one.advice)}[/]")
            console.print(shown)
            listed = table("setting", "value", "from")
            for value in values:
                listed.add_row(value.name, escape(value.value), value.origin)
            console.print()
            console.print(listed)
        raise typer.Exit(0 if all(one.ok for one in checks) else 1)


def _api(found: "Connection", settings: "Settings") -> "Check":
    """Whether the API answers, and takes the key."""
    import httpx

    from compose.checked_settings import WrongSetting, can_listen
    from compose.cli.connection import is_loopback
    from compose.devstack.setting_checks import Check

    if not found.known:
        return Check("API", ok=True, detail="not asked: the stack is not running")
    try:
        with httpx.Client(
            base_url=found.api_url, timeout=ANSWER_SECONDS, trust_env=not is_loopback(found.api_url)
        ) as http:
            ready = http.get("/readyz")
            headers = {"authorization": f"Bearer {found.api_key}"}
            taken = (
                http.get("/v1/sources", params={"limit": 1}, headers=headers)
                if found.api_key
                else None
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = str(error) or type(error).__name__
        try:
            if found.given:
                can_listen(settings)
        except (WrongSetting, ValueError) as wrong:
            said += f"; for an API on this machine: {wrong}"
        return Check(
            "API",
            ok=False,
            detail=f"{found.api_url}: {said}",
            advice="headrace up; or read logs/api.log",
        )
    if ready.is_error:
        detail = f"{found.api_url} is not ready: {ready.status_code}"
        return Check(
            "API", ok=False, detail=detail, advice="is PostgreSQL there? read logs/api.log"
        )
    if taken is None:
        return Check(
            "API",
            ok=False,
            detail=f"{found.api_url} is ready, no key",
            advice="set HEADRACE_API_KEY",
        )
    if taken.is_error:
        detail = f"{found.api_url} is ready, it answers {taken.status_code} to the key"
        return Check(
            "API",
            ok=False,
            detail=detail,
            advice="make another: headrace admin create-key --tenant default",
        )
    return Check("API", ok=True, detail=f"{found.api_url} is ready and takes the key")
