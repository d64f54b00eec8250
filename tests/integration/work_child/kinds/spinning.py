"""Computes without end."""

from collections.abc import Mapping
from typing import Any

from consumers.work.child import Report


def run(_payload: Mapping[str, Any], _report: Report) -> dict[str, Any]:
    while True:
        pass
