"""Takes memory without end: page by page, or with `at_once` all that is asked for."""

from collections.abc import Mapping
from typing import Any

from consumers.work.child import Report


def run(payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    if at_once := payload.get("at_once"):
        return {"length": len(bytearray(at_once))}
    hoard = []
    while True:
        hoard.append(b"x" * (1 << 22))
