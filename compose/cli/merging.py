"""A change of a source: what is named is merged with what there is, and shown from what to what."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from compose.cli.output import print_json, terminal
from compose.cli.resources.inputs import action

SHOWN = ("name", "action", "options", "paused")


def trained(before: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """The action of a source that trains, with what is named changed in its mapping."""
    if before["kind"] == "command":
        return {**before, "mapping": {**before["mapping"], **mapping}}
    return action(
        {name: mapping.get(name) for name in ("dataset_id", "target", "model", "options")}
    )


def without_null(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that are to be removed."""
    return {name: value for name, value in options.items() if value is not None}


def show_change(before: Mapping[str, Any], after: Mapping[str, Any], as_json: bool) -> None:
    """The source after a change, and what is different, from what to what.

    As JSON what the API answers.
    """
    if as_json:
        print_json(after)
        return
    state = "[yellow]paused[/]" if after["paused"] else "active"
    terminal().print(f"{after['id']}  {escape(after['name'])}  {state}  version {after['version']}")
    old, new = _flat(before), _flat(after)
    for name in sorted(old.keys() | new.keys(), key=lambda one: one.split(".")):
        if old.get(name) != new.get(name):
            text = (
                f"[red]{escape(_text(old.get(name)))}[/] → [green]{escape(_text(new.get(name)))}[/]"
            )
            terminal().print(f"  {escape(name)}: {text}")
    if old == new:
        terminal().print("  nothing is different")


def _flat(source: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves of what can be changed, by their path."""
    found: dict[str, Any] = {}
    waiting = [(name, source[name]) for name in SHOWN]
    for name, value in waiting:
        if isinstance(value, dict):
            waiting += [(f"{name}.{inner}", one) for inner, one in value.items()]
        else:
            found[name] = value
    return found


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
