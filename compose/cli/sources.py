"""`headrace sources`: create, list, show."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.output import AsJson, Limit, moment, print_json, show_fields, show_list, table, terminal

EPILOG = """
[cyan]headrace sources create shop[/]  webhooks are only published

[cyan]headrace sources create trainer --train[/]  a webhook {"dataset_id": …, "target": …, "model": …} trains

[cyan]headrace sources create crm --train --target "'churned'" --dataset-id export.dataset[/]  by JMESPath
"""
Expression = "JMESPath into the payload, or a literal in single quotes."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sources = typer.Typer(help="Who may send webhooks, and what becomes of them.", no_args_is_help=True, epilog=EPILOG)
    app.add_typer(sources, name="sources")

    @sources.command(epilog=EPILOG)
    def create(
        name: Annotated[str, typer.Argument(help="Its name, once per tenant.")],
        train: Annotated[bool, typer.Option("--train", help="Start a training job from each webhook.")] = False,
        dataset_id: Annotated[str | None, typer.Option(help=f"With --train. {Expression}")] = None,
        target: Annotated[str | None, typer.Option(help=f"With --train. {Expression}")] = None,
        model: Annotated[str | None, typer.Option(help=f"With --train. {Expression}")] = None,
        options: Annotated[str | None, typer.Option(help=f"With --train. {Expression}")] = None,
        secret: Annotated[str | None, typer.Option(help="Keep an existing secret (whsec_…).")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Create a source. Its secret is shown once."""
        from compose.cli.client import connected

        given = {"dataset_id": dataset_id, "target": target, "model": model, "options": options}
        if not train and any(value is not None for value in given.values()):
            raise typer.BadParameter("a mapping is for a source that trains; add --train")
        body: dict[str, Any] = {"name": name, "action": action(given) if train else {"kind": "forward"}}
        if secret is not None:
            body["secret"] = secret
        with connected() as api:
            made = api.post("/v1/sources", body)
        if as_json:
            print_json(made)
            return
        show_fields({"id": made["id"], "url": escape(made["url"]), "secret": escape(made["secret"])})
        terminal().print("[yellow]The secret is not shown again.[/] Try it:")
        typer.echo(f"  headrace send --source {made['id']} --secret {made['secret']} --data '{{}}'")

    @sources.command("list")
    def newest(limit: Limit = 50, as_json: AsJson = False) -> None:
        """List sources, newest first."""
        from compose.cli.client import connected

        with connected() as api:
            answer = api.get("/v1/sources", limit=limit)
        show_list(
            answer, as_json, table("id", "name", "scheme", "action", "created"),
            lambda row: (
                row["id"], escape(row["name"]), row["scheme"], _action(row["action"]), moment(row["created_at"])
            ),
            "There are no sources. headrace sources create NAME",
        )  # fmt: skip

    @sources.command()
    def show(source: Annotated[str, typer.Argument(help="Its id.")], as_json: AsJson = False) -> None:
        """Show a source, without its secret."""
        from compose.cli.client import connected

        with connected() as api:
            found = api.get(f"/v1/sources/{source}")
        if as_json:
            print_json(found)
            return
        mapping = {f"  {name}": escape(text) for name, text in (found["action"].get("mapping") or {}).items()}
        show_fields({
            "id": found["id"], "name": escape(found["name"]), "url": escape(found["url"]), "scheme": found["scheme"],
            "action": _action(found["action"]), **mapping, "created": moment(found["created_at"]),
        })  # fmt: skip


def action(given: dict[str, str | None]) -> dict[str, Any]:
    """The action that trains; what is not given is found in the payload under its own name."""
    return {"kind": "command", "command": "train", "mapping": {name: given[name] or name for name in given}}


def _action(action: dict[str, Any]) -> str:
    return str(action.get("command", action["kind"]))
