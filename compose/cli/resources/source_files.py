"""`headrace sources`: export, diff, apply."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.client import Client
from compose.cli.failure import CommandFailure
from compose.cli.operator_option import connected
from compose.cli.output import AsJson, print_json, show_warnings, terminal

EPILOG = """
[cyan]headrace sources export > sources.toml[/]  all of them, without their secrets

[cyan]headrace sources diff sources.toml --exit-code[/]  exit status 1 if anything is different

[cyan]headrace sources apply sources.toml --secrets-out new.json[/]  create and change; new secrets go to the file

[cyan]headrace sources apply sources.toml --prune --yes[/]  and delete what is not in the file

A source in the file: [[sources]] with name, scheme, options, action, paused, and for one that is to be created
secret = "@path" or "env:NAME"; without it a secret is made. A secret is looked at only when a source is created.
"""
File = Annotated[str, typer.Argument(help="TOML with [[sources]] tables.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete what is not in the file.")]
MARKS = {"create": "[green]+[/]", "change": "[yellow]~[/]", "delete": "[red]-[/]"}


def register(sources: typer.Typer) -> None:
    """Add the commands to the group."""

    @sources.command(epilog=EPILOG)
    def export() -> None:
        """Print all sources as TOML, without their secrets, for diff and apply."""
        from compose.cli.resources.source_file import written

        with connected() as api:
            typer.echo(written(_there(api)), nl=False)

    @sources.command(epilog=EPILOG)
    def diff(
        file: File,
        prune: Prune = False,
        exit_code: Annotated[
            bool, typer.Option("--exit-code", help="Exit status 1 if there is a difference.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Show what apply would do."""
        changes = _changes(file, prune)
        _show(changes, as_json)
        if exit_code and changes:
            raise typer.Exit(1)

    @sources.command(epilog=EPILOG)
    def apply(
        file: File,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it.")] = False,
        prune: Prune = False,
        yes: Annotated[
            bool, typer.Option("--yes", help="Do not ask before anything is deleted.")
        ] = False,
        secrets_out: Annotated[
            str | None,
            typer.Option(
                help="Write the secrets that were made to this new file, not to the terminal."
            ),
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Make the sources as a file says: create, change, with --prune delete.

        Twice is as good as once.
        """
        from compose.cli.resources.source_file import secret_behind

        changes = _changes(file, prune)
        if dry_run:
            _show(changes, as_json)
            return
        doomed = [one.name for one in changes if one.what == "delete"]
        if doomed and not yes:
            if not sys.stdin.isatty():
                raise typer.BadParameter(
                    f"would delete {', '.join(doomed)}; add --yes", param_hint="--prune"
                )
            typer.confirm(
                f"Delete {', '.join(doomed)}? Their URLs will answer 401", abort=True, err=True
            )
        secrets = {
            one.name: secret_behind(one.wanted.secret) for one in changes if one.what == "create"
        }
        done: list[dict[str, Any]] = []
        try:
            with _Secrets(secrets_out) as kept, connected() as api:
                for one in changes:
                    done.append(_apply(api, one, secrets.get(one.name), kept))  # noqa: PERF401 - `done` holds what was done
        finally:  # what was done before a failure is printed, or its secret would be lost
            _tell(changes[: len(done)], done, as_json)


def _tell(changes: Sequence[Any], done: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"changes": done})
        return
    _show(changes, as_json=False)
    for one in done:
        if "url" in one:
            typer.echo(
                f"{one['name']}  {one['url']}" + (f"  {one['secret']}" if one.get("secret") else "")
            )
        show_warnings(one)
    if any(one.get("secret") for one in done):
        terminal().print("[yellow]The secrets are not shown again.[/]")


class _Secrets:
    """The file for secrets that are made, open before anything is; None: they are shown."""

    def __init__(self, path: str | None) -> None:
        self._path = path

    def __enter__(self) -> Any:
        if self._path is None:
            self._file = None
            return None
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandFailure(f"cannot make {self._path}: {error.strerror}") from None
        self._file = os.fdopen(handle, "w", encoding="utf-8")
        return self._file

    def __exit__(self, *_error: object) -> None:
        if self._file is not None:
            self._file.close()


def _there(api: Client) -> list[dict[str, Any]]:
    return list(api.every("/v1/sources", {"limit": 200})["data"])


def _changes(file: str, prune: bool) -> Any:
    from compose.cli.resources.source_file import differences, read

    wanted = read(file)
    with connected() as api:
        return differences(wanted, _there(api), prune=prune)


def _apply(api: Client, change: Any, secret: str | None, kept: Any) -> dict[str, Any]:
    done: dict[str, Any] = change.shown()
    if change.what == "delete":
        api.delete(f"/v1/sources/{change.source['id']}", f'"{change.source["version"]}"')
    elif change.what == "change":
        body = {name: after for name, (_, after) in change.fields.items()}
        api.patch(f"/v1/sources/{change.source['id']}", body, f'"{change.source["version"]}"')
    else:
        done |= _create(api, change.wanted, secret, kept)
    return done


def _create(api: Client, wanted: Any, secret: str | None, kept: Any) -> dict[str, Any]:
    body = {
        "name": wanted.name,
        "scheme": wanted.scheme,
        "options": wanted.options,
        "action": wanted.action,
    }
    made = api.post("/v1/sources", body if secret is None else {**body, "secret": secret})
    if wanted.paused:
        api.patch(f"/v1/sources/{made['id']}", {"paused": True})
    shown = {"id": made["id"], "url": made["url"]}
    if "warnings" in made:
        shown["warnings"] = made["warnings"]
    if secret is not None:
        return shown
    if kept is None:
        return {**shown, "secret": made["secret"]}
    # A line each, at once: what was made before a failure is not lost.
    kept.write(json.dumps({"name": wanted.name, **shown, "secret": made["secret"]}) + "\n")
    kept.flush()
    return shown


def _show(changes: Sequence[Any], as_json: bool) -> None:
    if as_json:
        print_json({"changes": [one.shown() for one in changes]})
        return
    if not changes:
        terminal().print("Nothing is different.")
    for one in changes:
        terminal().print(f"{MARKS[one.what]} {escape(one.name)}")
        for name, (before, after) in one.fields.items():
            terminal().print(
                f"    {name}: [red]{escape(json.dumps(before))}[/] → "
                f"[green]{escape(json.dumps(after))}[/]"
            )
