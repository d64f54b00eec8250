"""The contract as a folder of files: `asyncapi.json` and `schemas/…`.

How a folder differs from the code.
"""

import difflib
import json
from pathlib import Path
from typing import Any

from compose.reference.asyncapi import document
from compose.reference.headers import KEY, dead_letter_headers, event_headers
from compose.reference.jsonschemas import DIALECT, envelope, record
from compose.reference.versions import VERSIONS

ANY_KAFKA = "localhost:9092"
"""What the files name, so that they depend on the code alone; the running API names its own."""


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas by the name of their file."""
    return {
        "schemas/envelope.json": envelope(),
        "schemas/key.json": {"$schema": DIALECT, "$id": "urn:headrace:key", **KEY},
        "schemas/headers.json": {
            "$schema": DIALECT,
            "$id": "urn:headrace:headers",
            **event_headers(),
        },
        "schemas/dead-letter-headers.json": {
            "$schema": DIALECT,
            "$id": "urn:headrace:dead-letter-headers",
            **dead_letter_headers(),
        },
        **{f"schemas/{one.name}.json": record(one) for one in VERSIONS},
    }


def contents() -> dict[str, str]:
    """The text of every file by its name."""
    whole = {"asyncapi.json": document([ANY_KAFKA]), **schemas()}
    return {
        name: json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        for name, value in whole.items()
    }


def write(folder: Path) -> list[str]:
    """Write them all; returns their names.

    Files of nothing that there still is are removed from `schemas`.
    """
    made = contents()
    for name in _strangers(folder, made):
        (folder / name).unlink()
    for name, text in made.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return sorted(made)


def differences(folder: Path) -> dict[str, str]:
    """By file, how the folder is to change to become what the code says; empty when it is that."""
    made = contents()
    found = dict.fromkeys(_strangers(folder, made), "the code knows no such file")
    for name, text in made.items():
        place = folder / name
        there = place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
        if there != text:
            lines = difflib.unified_diff(
                there.splitlines(),
                text.splitlines(),
                f"{folder}/{name}",
                f"the code: {name}",
                lineterm="",
            )
            found[name] = "\n".join(lines) if there else "missing"
    return found


def _strangers(folder: Path, made: dict[str, str]) -> list[str]:
    there = [
        path.relative_to(folder).as_posix() for path in sorted((folder / "schemas").glob("*.json"))
    ]
    return [name for name in there if name not in made]
