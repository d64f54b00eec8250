"""`headrace sources`: update, pause, resume, delete, rotate-secret, dry-run."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.inputs import action, body_of, parsed_options, secret_of, whole_action
from compose.cli.output import AsJson, print_json, show_fields, table, terminal

Id = Annotated[str, typer.Argument(help="The source's id or name.")]
Expression = "A JMESPath expression or a literal in single quotes; with --train."


def register(sources: typer.Typer) -> None:
    """Add the commands to the group."""

    @sources.command()
    def update(
        source: Id,
        name: Annotated[str | None, typer.Option(help="Another name.")] = None,
        train: Annotated[bool | None, typer.Option("--train/--forward", help="Another action.")] = None,
        whole: Annotated[str | None, typer.Option("--action", help="Any action as JSON, or @FILE.")] = None,
        dataset_id: Annotated[str | None, typer.Option(help=Expression)] = None,
        target: Annotated[str | None, typer.Option(help=Expression)] = None,
        model: Annotated[str | None, typer.Option(help=Expression)] = None,
        options: Annotated[str | None, typer.Option(help=Expression)] = None,
        option: Annotated[
            list[str] | None, typer.Option(help="The scheme's, as name=value, all of them; repeatable.")
        ] = None,
        if_version: Annotated[int | None, typer.Option(help="Only if it is still this version.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Change a source's name, action or options. Another action is another version of its mapping."""
        given = {"dataset_id": dataset_id, "target": target, "model": model, "options": options}
        if not train and any(value is not None for value in given.values()):
            raise typer.BadParameter("a mapping is for a source that trains; add --train")
        if train is not None and whole is not None:
            raise typer.BadParameter("give --train, --forward or --action, one of them")
        body: dict[str, Any] = {}
        if name is not None:
            body["name"] = name
        if train is not None:
            body["action"] = action(given) if train else {"kind": "forward"}
        if whole is not None:
            body["action"] = whole_action(whole)
        if option is not None:
            body["options"] = parsed_options(option)
        if not body:
            raise typer.BadParameter("nothing to change; see --help")
        _change(source, body, as_json, if_version)

    @sources.command()
    def pause(source: Id, as_json: AsJson = False) -> None:
        """Refuse what is delivered (403), until it is resumed."""
        _change(source, {"paused": True}, as_json)

    @sources.command()
    def resume(source: Id, as_json: AsJson = False) -> None:
        """Accept deliveries again."""
        _change(source, {"paused": False}, as_json)

    @sources.command()
    def delete(
        source: Id, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: AsJson = False
    ) -> None:
        """Delete a source. What it accepted stays."""
        from compose.cli.client import connected

        if not yes:
            typer.confirm(f"Delete source {source}? Its URL will answer 401", abort=True, err=True)
        with connected() as api:
            found = api.source(source)
            api.delete(f"/v1/sources/{found}")
        if as_json:
            print_json({"id": found, "deleted": True})
        else:
            terminal().print(f"{source}  deleted")

    @sources.command("rotate-secret")
    def rotate_secret(
        source: Id,
        secret: Annotated[str | None, typer.Option(help="The new secret, or @FILE; one is made if left out.")] = None,
        grace_seconds: Annotated[int, typer.Option(min=0, help="How long the one before is good for.")] = 86400,
        as_json: AsJson = False,
    ) -> None:
        """Give a source a new secret, shown once. The one before goes on for a while."""
        from compose.cli.client import connected

        body: dict[str, Any] = {"grace_seconds": grace_seconds}
        if secret is not None:
            body["secret"] = secret_of(secret)
        with connected() as api:
            turned = api.post(f"/v1/sources/{api.source(source)}/rotate-secret", body)
        if as_json:
            print_json(turned)
            return
        show_fields({"secret": escape(turned["secret"]), "previous ends": turned["previous_secret_ends_at"]})
        terminal().print("[yellow]The secret is not shown again.[/]")

    @sources.command("dry-run")
    def dry_run(
        source: Id,
        file: Annotated[str | None, typer.Argument(help="The payload; - is standard input.")] = None,
        data: Annotated[str | None, typer.Option(help="The payload itself.")] = None,
        whole: Annotated[str | None, typer.Option("--action", help="Try another action: JSON, or @FILE.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Show what a payload would become, without doing it. Exit status 1 if it fits no mapping."""
        import json

        from compose.cli.client import connected

        try:
            payload = json.loads(body_of(file, data))
        except ValueError as error:
            raise typer.BadParameter(f"the payload is not JSON: {error}") from None
        with connected() as api:
            asked = {"payload": payload, **({} if whole is None else {"action": whole_action(whole)})}
            answer = api.post(f"/v1/sources/{api.source(source)}/dry-run", asked)
        if as_json:
            print_json(answer)
            return
        rows = answer["becomes"].pop("rows", None)
        becomes = {name: escape(str(value)) for name, value in answer["becomes"].items()}
        none = "none: nothing in it has a value" if rows == [] else None
        show_fields({**becomes, "rows": none, "mapping version": answer["mapping_version"]})
        if rows:
            shown = table(*rows[0])
            for row in rows:
                shown.add_row(*("-" if value is None else escape(str(value)) for value in row.values()))
            terminal().print(shown)


def _change(source: str, body: dict[str, Any], as_json: bool, if_version: int | None = None) -> None:
    from compose.cli.client import connected

    with connected() as api:
        after = api.patch(f"/v1/sources/{api.source(source)}", body, None if if_version is None else f'"{if_version}"')
    if as_json:
        print_json(after)
    else:
        state = "[yellow]paused[/]" if after["paused"] else "active"
        terminal().print(f"{after['id']}  {escape(after['name'])}  {state}  version {after['version']}")
