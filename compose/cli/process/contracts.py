"""`headrace contracts`: the topics and events on Kafka, for those who read them."""

from pathlib import Path
from typing import Annotated

import typer

from compose.cli.failure import FAILED, CommandFailure
from compose.cli.output import print_json, table, terminal

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON value: all of it, or what was done.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write asyncapi.json and schemas/*.json there."),
]
Check = Annotated[
    Path | None,
    typer.Option(
        "--check", metavar="DIR", help="Compare such a folder with the code; 1 when it differs."
    ),
]
Docs = Annotated[bool, typer.Option("--docs", help="Print the reference for people, in Markdown.")]
EPILOG = """
[cyan]headrace contracts[/]  every event, its version, topic and meaning

[cyan]headrace contracts --out contract[/]  JSON Schemas and the AsyncAPI 3 document

[cyan]headrace contracts --check contract[/]  in CI: exit status 1, and a diff, when the folder is out of date

[cyan]headrace contracts --docs[/]  fields, keys, headers and examples, to read
"""


def register(app: typer.Typer) -> None:

    @app.command(epilog=EPILOG)
    def contracts(
        out: Out = None, check: Check = None, docs: Docs = False, as_json: AsJson = False
    ) -> None:
        """Show or write the contract of the events: JSON Schemas, AsyncAPI, a reference.

        Needs no running stack: it is made from the code that is installed.
        """
        from compose.reference import files, pages
        from compose.reference.asyncapi import document
        from compose.reference.versions import VERSIONS

        if sum((out is not None, check is not None, docs)) > 1:
            raise typer.BadParameter("one of --out, --check and --docs at a time")
        if out is not None:
            if out.exists() and not out.is_dir():
                raise typer.BadParameter(f"{out} is not a folder")
            written = files.write(out)
            print_json({"written": written}) if as_json else terminal().print(
                f"{len(written)} files in {out}"
            )
        elif check is not None:
            _check(check, files.differences(check), as_json)
        elif docs:
            text = pages.reference()
            print_json({"markdown": text}) if as_json else typer.echo(text, nl=False)
        elif as_json:
            print_json({"asyncapi": document([files.ANY_KAFKA]), "schemas": files.schemas()})
        else:
            listed = table("event", "version", "topic", "says")
            for one in VERSIONS:
                listed.add_row(one.type, str(one.payload.VERSION), one.topic.name, one.about)
            terminal().print(listed)


def _check(folder: Path, differing: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json({"differs": differing})
    elif not differing:
        terminal().print(f"{folder} is what the code says")
    for name, diff in {} if as_json else differing.items():
        print(diff if "\n" in diff else f"{name}: {diff}")
    if differing and as_json:
        raise typer.Exit(FAILED)
    if differing:
        raise CommandFailure(
            f"files of {folder} that are not what the code says: {len(differing)}",
            f"write them again: headrace contracts --out {folder}",
        )
