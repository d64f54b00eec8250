"""Sources as a file: read and checked, compared with what there is, written."""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compose.cli.failure import MISUSED, CommandFailure
from compose.cli.resources.inputs import secret_of
from producers.webhooks.sources.source import NewSource, checked_options
from schemas.errors import Refusal

KNOWN = {"name", "scheme", "options", "action", "paused", "secret"}
CHANGEABLE = ("options", "action", "paused")


@dataclass(frozen=True)
class Wanted:
    """One source of the file; `secret` says where its secret is, never what it is."""

    name: str
    scheme: str
    options: dict[str, Any]
    action: dict[str, Any]
    paused: bool
    secret: str | None


@dataclass(frozen=True)
class Change:
    """One difference: what is done about it, and from what to what."""

    what: str  # create, change, delete
    name: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    wanted: Wanted | None = None
    source: Mapping[str, Any] | None = None

    def shown(self) -> dict[str, Any]:
        """The change as a value of JSON."""
        return {
            "what": self.what,
            "name": self.name,
            "fields": {
                name: {"from": before, "to": after} for name, (before, after) in self.fields.items()
            },
        }


def read(file: str) -> list[Wanted]:
    """The sources of a file; Failure (misused) with every fault that is found."""
    try:
        found = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandFailure(f"cannot read {file}: {error.strerror}", exit_code=MISUSED) from None
    except ValueError as error:
        raise CommandFailure(f"{file} is not TOML: {error}", exit_code=MISUSED) from None
    entries = found.get("sources", [])
    if found.keys() - {"sources"} or not isinstance(entries, list):
        raise CommandFailure(f"{file} holds [[sources]] tables and nothing else", exit_code=MISUSED)
    faults: list[str] = []
    wanted = [one for entry in entries if (one := _wanted(entry, faults)) is not None]
    names = [one.name for one in wanted]
    faults += [
        f"{name}: is there twice"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if faults:
        raise CommandFailure(f"{file} cannot be applied", *faults, exit_code=MISUSED)
    return wanted


def differences(
    wanted: Sequence[Wanted], there: Sequence[Mapping[str, Any]], *, prune: bool
) -> list[Change]:
    """What makes `there` as it is wanted; Failure where only a person can decide."""
    known = {source["name"]: source for source in there}
    changes: list[Change] = []
    for one in wanted:
        source = known.pop(one.name, None)
        if source is None:
            changes.append(Change("create", one.name, wanted=one))
            continue
        if source["scheme"] != one.scheme:
            raise CommandFailure(
                f"{one.name} is a source of scheme {source['scheme']}, and a scheme cannot be "
                f"changed to {one.scheme}",
                "give it another name, or delete it first: its URL will be another one",
            )
        fields = {
            name: (source[name], getattr(one, name))
            for name in CHANGEABLE
            if source[name] != getattr(one, name)
        }
        if fields:
            changes.append(Change("change", one.name, fields, one, source))
    if prune:
        changes += [Change("delete", name, source=source) for name, source in known.items()]
    return changes


def written(sources: Sequence[Mapping[str, Any]]) -> str:
    """Sources as the text of a file, by name; without their secrets."""
    return "\n".join(
        "\n".join(_lines(one)) + "\n" for one in sorted(sources, key=lambda one: str(one["name"]))
    )


def secret_behind(reference: str | None) -> str | None:
    """The secret that `@file` or `env:NAME` leads to."""
    if reference is None:
        return None
    if reference.startswith("@"):
        return secret_of(reference)
    value = os.environ.get(reference.removeprefix("env:"))
    if not value:
        raise CommandFailure(f"{reference}: the environment has no such variable")
    return value


def _lines(source: Mapping[str, Any]) -> Iterator[str]:
    yield "[[sources]]"
    yield f"name = {_toml(source['name'])}"
    yield f"scheme = {_toml(source['scheme'])}"
    if source["paused"]:
        yield "paused = true"
    if source["options"]:
        yield f"options = {_toml(source['options'])}"
    if source["action"] != {"kind": "forward"}:
        yield f"action = {_toml(source['action'])}"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{ "
            + ", ".join(f"{json.dumps(name)} = {_toml(inner)}" for name, inner in value.items())
            + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # JSON's strings, numbers, true and false are TOML's too, except DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _wanted(entry: Any, faults: list[str]) -> Wanted | None:
    name = entry.get("name", "a source without a name") if isinstance(entry, dict) else "an entry"
    if not isinstance(entry, dict) or entry.keys() - KNOWN:
        faults.append(f"{name}: knows only {', '.join(sorted(KNOWN))}")
        return None
    paused, secret = entry.get("paused", False), entry.get("secret")
    if not isinstance(paused, bool):
        faults.append(f"{name}: paused is true or false")
    if secret is not None and not (isinstance(secret, str) and secret.startswith(("@", "env:"))):
        faults.append(f'{name}: secret is "@file" or "env:NAME", never the secret itself')
        return None
    try:
        new = NewSource.model_validate(
            {key: entry[key] for key in entry.keys() - {"paused", "secret"}}
        )
        options = checked_options(new.scheme, new.options)
    except ValidationError as error:
        faults += [
            f"{name}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5]
        ]
        return None
    except Refusal as refusal:
        faults.append(f"{name}: {refusal.message}")
        return None
    return Wanted(
        new.name,
        new.scheme,
        options,
        new.action.model_dump(mode="json", exclude_none=True),
        bool(paused),
        secret,
    )
