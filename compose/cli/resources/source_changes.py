"""`headrace sources`: update, pause, resume, delete, rotate-secret, dry-run."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from compose.cli.merging import show_change, trained, without_null
from compose.cli.operator_option import connected
from compose.cli.output import (
    AsJson,
    print_answer,
    print_json,
    show_fields,
    show_warnings,
    table,
    terminal,
)
from compose.cli.resources.inputs import body_of, parsed_options, secret_of, whole_action

Id = Annotated[str, typer.Argument(help="The source's id or name.")]
Expression = "A JMESPath expression or a literal in single quotes; with --train."


def register(sources: typer.Typer) -> None:
    """Add the commands to the group."""

    @sources.command()
    def update(
        source: Id,
        name: Annotated[str | None, typer.Option(help="Another name.")] = None,
        train: Annotated[
            bool | None, typer.Option("--train/--forward", help="Another action.")
        ] = None,
        whole: Annotated[
            str | None, typer.Option("--action", help="Any action as JSON, or @FILE.")
        ] = None,
        dataset_id: Annotated[
            str | None, typer.Option(help=f"It gives a dataset's id or name. {Expression}")
        ] = None,
        target: Annotated[str | None, typer.Option(help=Expression)] = None,
        model: Annotated[str | None, typer.Option(help=Expression)] = None,
        options: Annotated[str | None, typer.Option(help=Expression)] = None,
        option: Annotated[
            list[str] | None,
            typer.Option(help="The scheme's, as name=value; =null removes one; repeatable."),
        ] = None,
        if_version: Annotated[
            int | None, typer.Option(help="Only if it is still this version.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Change what is named of a source, and nothing else.

        Another action is another version of its mapping.
        """
        given = {"dataset_id": dataset_id, "target": target, "model": model, "options": options}
        mapping = {name: value for name, value in given.items() if value is not None}
        if mapping and not train:
            raise typer.BadParameter("a mapping is for a source that trains; add --train")
        if train is not None and whole is not None:
            raise typer.BadParameter("give --train, --forward or --action, one of them")
        named = {"name": name, "action": None if whole is None else whole_action(whole)}
        if train is None and option is None and all(one is None for one in named.values()):
            raise typer.BadParameter("nothing to change; see --help")
        with connected() as api:
            before = api.get(f"/v1/sources/{api.source(source)}")
            body = {name: value for name, value in named.items() if value is not None}
            if train is not None:
                body["action"] = (
                    trained(before["action"], mapping) if train else {"kind": "forward"}
                )
            if option is not None:
                body["options"] = without_null({**before["options"], **parsed_options(option)})
            version = before["version"] if if_version is None else if_version
            after = api.patch(f"/v1/sources/{before['id']}", body, f'"{version}"')
        show_change(before, after, as_json)

    @sources.command()
    def pause(source: Id, as_json: AsJson = False) -> None:
        """Refuse what is delivered (403), until it is resumed."""
        _pause(source, True, as_json)

    @sources.command()
    def resume(source: Id, as_json: AsJson = False) -> None:
        """Accept deliveries of a paused source again."""
        _pause(source, False, as_json)

    @sources.command()
    def delete(
        source: Id,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Delete a source. What it accepted stays."""
        if not yes:
            typer.confirm(f"Delete source {source}? Its URL will answer 401", abort=True, err=True)
        with connected() as api:
            found = api.source(source)
            api.delete(f"/v1/sources/{found}")
        print_answer({"id": found, "deleted": True}, as_json, f"{source}  deleted")

    @sources.command("rotate-secret")
    def rotate_secret(
        source: Id,
        secret: Annotated[
            str | None, typer.Option(help="The new secret, or @FILE; one is made if left out.")
        ] = None,
        grace_seconds: Annotated[
            int, typer.Option(min=0, help="How long the one before is good for.")
        ] = 86400,
        as_json: AsJson = False,
    ) -> None:
        """Give a source a new secret, shown once. The old one is valid for a while."""
        body: dict[str, Any] = {"grace_seconds": grace_seconds}
        if secret is not None:
            body["secret"] = secret_of(secret)
        with connected() as api:
            turned = api.post(f"/v1/sources/{api.source(source)}/rotate-secret", body)
        if as_json:
            print_json(turned)
            return
        show_fields(
            {"secret": escape(turned["secret"]), "previous ends": turned["previous_secret_ends_at"]}
        )
        terminal().print("[yellow]The secret is not shown again.[/]")
        show_warnings(turned)

    @sources.command("dry-run")
    def dry_run(
        source: Id,
        file: Annotated[
            str | None, typer.Argument(help="The payload; - is standard input.")
        ] = None,
        data: Annotated[str | None, typer.Option(help="The payload itself.")] = None,
        whole: Annotated[
            str | None, typer.Option("--action", help="Try another action: JSON, or @FILE.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Show what a payload would become, without doing it.

        Exit status 1 if it fits no mapping.
        """
        from schemas.json_text import read_json

        try:
            payload = read_json(body_of(file, data))
        except ValueError as error:
            raise typer.BadParameter(f"the payload is not JSON: {error}") from None
        with connected() as api:
            asked = {
                "payload": payload,
                **({} if whole is None else {"action": whole_action(whole)}),
            }
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
                shown.add_row(
                    *("-" if value is None else escape(str(value)) for value in row.values())
                )
            terminal().print(shown)


def _pause(source: str, paused: bool, as_json: bool) -> None:
    with connected() as api:
        before = api.get(f"/v1/sources/{api.source(source)}")
        after = api.patch(f"/v1/sources/{before['id']}", {"paused": paused})
    show_change(before, after, as_json)
