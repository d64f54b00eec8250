"""`headrace demo`: the main job against the running stack."""

from typing import Annotated

import typer

from compose.cli.operator_option import connected
from compose.cli.output import DataDir

AsJson = Annotated[bool, typer.Option("--json", help="Everything as one JSON object at the end.")]


def register(app: typer.Typer) -> None:

    @app.command()
    def demo(data_dir: DataDir = None, as_json: AsJson = False) -> None:
        """Train real models through every part of the running stack, and check each figure.

        Wine, breast cancer and diabetes go in by upload, and are trained by API and by signed
        webhook.

        Exit status 0 only if every check holds.
        """
        from compose.cli.output import print_json, terminal
        from compose.demo.flow import run
        from compose.demo.report import show

        console = terminal()

        def say(text: str) -> None:
            if not as_json:
                console.print(text, markup=False, soft_wrap=True)

        with connected(data_dir) as api:
            seen = run(api, say)
        if as_json:
            print_json(seen)
        else:
            show(console, seen)
        raise typer.Exit(0 if seen["ok"] else 1)
