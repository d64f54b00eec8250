"""The top of the command line: lists every command, imports only the one that is called."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from compose.cli.failure import CommandFailure, explain

PROCESSES = ("compose.cli.process.processes", "compose.cli.admin.sweeper")


@dataclass(frozen=True)
class Listed:
    """One command in the list: the module whose `register(app)` adds it, and the first sentence
    of its help.
    """

    module: str
    help: str
    panel: str


class LazyGroup(TyperGroup):
    """A group whose commands are stand-ins until one of them is called.

    Failures end here, in words.
    """

    listed: dict[str, Listed]

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for name, one in self.listed.items():
            self.commands[name] = TyperCommand(name=name, help=one.help, rich_help_panel=one.panel)

    def load(self, name: str) -> None:
        """Replace the stand-in of a command, and those of its module's other commands, by the
        real ones.
        """
        part = typer.Typer()
        import_module(self.listed[name].module).register(part)
        self.commands.update(get_group(part).commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As the group has it, with the real command."""
        if args[0] in self.listed:
            self.load(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was called.

        An expected failure is printed on standard error, without a traceback.
        """
        try:
            return super().invoke(ctx)
        except CommandFailure as failure:
            shown = failure
        except Exception as error:
            explained = explain(error, short=self._module(ctx.invoked_subcommand) not in PROCESSES)
            if explained is None:
                raise
            shown = explained
        for line in shown.lines:
            typer.echo(line, err=True)
        raise typer.Exit(shown.exit_code)

    def _module(self, name: str | None) -> str | None:
        return self.listed[name].module if name in self.listed else None
