"""`headrace sources`: create, list, show.

The others stand in `source_changes` and `source_files`.
"""

import shlex
from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.operator_option import connected
from compose.cli.output import (
    AsJson,
    Limit,
    moment,
    print_json,
    show_fields,
    show_list,
    show_warnings,
    table,
    terminal,
)
from compose.cli.resources import source_changes, source_files, streams
from compose.cli.resources.inputs import action, parsed_options, secret_of, whole_action

EPILOG = """
[cyan]headrace sources create shop[/]  webhooks are only published

[cyan]headrace sources create trainer --train[/]  a webhook {"dataset_id": …, "target": …, "model": …} trains

[cyan]headrace sources create repo --scheme github[/]  paste url and secret into the repository's webhook settings

[cyan]headrace sources create issues --scheme github --action @rows.json[/]  payloads become rows, docs/rows.md

[cyan]headrace sources create erp --scheme hmac --option header=x-signature --option id_header=x-id[/]  any HMAC

[cyan]headrace sources create crm --train --target "'churned'" --dataset-id "'customers'"[/]  by JMESPath
"""
SCHEMES = "standard_webhooks, github, stripe, shopify, slack, hmac or password."
Expression = "JMESPath into the payload, or a literal in single quotes."


def register(app: typer.Typer) -> None:
    sources = typer.Typer(
        help="Who may send webhooks, and what becomes of them.", no_args_is_help=True, epilog=EPILOG
    )
    app.add_typer(sources, name="sources")
    source_changes.register(sources)
    streams.register(sources)
    source_files.register(sources)

    @sources.command(epilog=EPILOG)
    def create(
        name: Annotated[str, typer.Argument(help="Its name, once per tenant.")],
        train: Annotated[
            bool, typer.Option("--train", help="Start a training job from each webhook.")
        ] = False,
        dataset_id: Annotated[
            str | None,
            typer.Option(help=f"With --train; it gives a dataset's id or name. {Expression}"),
        ] = None,
        target: Annotated[str | None, typer.Option(help=f"With --train. {Expression}")] = None,
        model: Annotated[str | None, typer.Option(help=f"With --train. {Expression}")] = None,
        options: Annotated[str | None, typer.Option(help=f"With --train. {Expression}")] = None,
        whole: Annotated[
            str | None, typer.Option("--action", help="Any action as JSON, or @FILE.")
        ] = None,
        secret: Annotated[
            str | None, typer.Option(help="Keep an existing secret, given here or as @FILE.")
        ] = None,
        scheme: Annotated[str, typer.Option(help=SCHEMES)] = "standard_webhooks",
        option: Annotated[
            list[str] | None, typer.Option(help="The scheme's, as name=value; repeatable.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Create a source. Its secret is shown once."""
        given = {"dataset_id": dataset_id, "target": target, "model": model, "options": options}
        if not train and any(value is not None for value in given.values()):
            raise typer.BadParameter("a mapping is for a source that trains; add --train")
        if train and whole is not None:
            raise typer.BadParameter("give --train or --action, not both")
        forward = {"kind": "forward"} if whole is None else whole_action(whole)
        body: dict[str, Any] = {"name": name, "action": action(given) if train else forward}
        body |= {"scheme": scheme, "options": parsed_options(option or [])}
        if secret is not None:
            body["secret"] = secret_of(secret)
        with connected() as api:
            made = api.post("/v1/sources", body)
        if as_json:
            print_json(made)
            return
        show_fields(
            {"id": made["id"], "url": escape(made["url"]), "secret": escape(made["secret"])}
        )
        show_warnings(made)
        terminal().print("[yellow]The secret is not shown again.[/] Try it:")
        signs = "" if scheme == "standard_webhooks" else f" --scheme {scheme}"
        signs += "".join(f" --option {shlex.quote(one)}" for one in option or [])
        shown = shlex.quote(made["secret"])
        typer.echo(f"  headrace send --source {made['id']}{signs} --secret {shown} --data '{{}}'")

    @sources.command("list")
    def newest(limit: Limit = 50, as_json: AsJson = False) -> None:
        """List sources, newest first."""
        with connected() as api:
            answer = api.get("/v1/sources", limit=limit)
        show_list(
            answer,
            as_json,
            table("id", "name", "scheme", "action", "state", "created"),
            lambda row: (
                row["id"],
                escape(row["name"]),
                row["scheme"],
                _action(row["action"]),
                _state(row),
                moment(row["created_at"]),
            ),
            "There are no sources. headrace sources create NAME",
        )

    @sources.command()
    def show(
        source: Annotated[str, typer.Argument(help="Its id or name.")], as_json: AsJson = False
    ) -> None:
        """Show a source, without its secret."""
        with connected() as api:
            found = api.get(f"/v1/sources/{api.source(source)}")
        if as_json:
            print_json(found)
            return
        mapping = {f"  {name}": escape(text) for name, text in _mapping(found["action"]).items()}
        show_fields(
            {
                "id": found["id"],
                "name": escape(found["name"]),
                "url": escape(found["url"]),
                "scheme": found["scheme"],
                **{f"  {name}": escape(str(value)) for name, value in found["options"].items()},
                "action": f"{_action(found['action'])}, mapping version {found['mapping_version']}",
                **mapping,
                "state": _state(found),
                "version": found["version"],
                "created": moment(found["created_at"]),
            }
        )


def _action(action: dict[str, Any]) -> str:
    return str(action.get("command", action["kind"]))


def _mapping(action: dict[str, Any]) -> dict[str, str]:
    return dict(action.get("mapping") or action.get("columns") or {})


def _state(row: dict[str, Any]) -> str:
    return "[yellow]paused[/]" if row["paused"] else "active"
