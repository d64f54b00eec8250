"""Writes a file without end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumers.work.child import Report


def run(_payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    with Path("filling").open("wb") as file:
        while True:
            file.write(bytes(1 << 20))
